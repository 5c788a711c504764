/** A gateway in a process of its own: prints where it listens, ends at SIGTERM; killed by its parent. */
import { openTestGateway } from './keys.ts'

const [stateDir, database = ''] = process.argv.slice(2)
const gateway = await openTestGateway(stateDir!, { database })
process.stdout.write(`http://127.0.0.1:${gateway.address.port}\n`)
process.once('SIGTERM', () => void gateway.close().then(() => process.exit(0)))
