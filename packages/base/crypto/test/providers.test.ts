import { portable } from '../src/index.ts'
import { nodeCrypto } from '../src/node.ts'
import { checkCrypto } from '../src/testing.ts'
import { kit } from './kit.ts'

checkCrypto('portable', portable, kit)
checkCrypto('node', nodeCrypto, kit)
