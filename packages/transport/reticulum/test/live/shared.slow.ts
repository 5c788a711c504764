import { sharedInstanceMedium, startReticulum } from '@nexus/reticulum/node'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { APP, askPeer, linkArguments, serveEcho } from './exercise.ts'
import { Peer } from './peer.ts'
import { rnsPython } from './python.ts'

const REPETITIONS = Number(process.env['NEXUS_REPEAT'] ?? 1)
const running: { stop(): Promise<void> }[] = []

beforeAll(async () => {
  await rnsPython()
}, 300_000)
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()))
})

describe.skipIf(process.platform !== 'linux')('the Unix socket of a shared instance', () => {
  describe.each(Array.from({ length: REPETITIONS }, (_, n) => n + 1))('time %i', (time) => {
    test('ours asks all of the program that is the instance, and is asked by another beside it', async () => {
      const instanceName = `${APP}.${process.pid}.${time}`
      const instance = await Peer.start('echo', '--share-name', instanceName, '--echo-resources')
      running.push(instance)
      const here = await startReticulum({ media: [sharedInstanceMedium({ at: { instanceName } })] })
      running.push(here)
      await here.node.online()
      await askPeer(here, instance)
      const echo = serveEcho(here)
      const client = await Peer.start(...linkArguments(echo, '--share-name', instanceName))
      running.push(client)
      expect(await client.done()).toMatchObject({ ok: true })
    }, 120_000)
  })
})
