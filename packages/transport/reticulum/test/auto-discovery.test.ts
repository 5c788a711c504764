import { systemRandom } from '@nexus/crypto'
import { expect, test } from 'vitest'
import {
  AUTO_DATA_PORT,
  AUTO_DISCOVERY_PORT,
  AUTO_GROUP_ID,
  AUTO_PEER_MS,
  AUTO_PEERS_MAX,
  AutoPeers,
  autoGroupAddress,
  autoToken,
  isAutoToken,
} from '../src/auto-discovery.ts'
import { cryptos, hex, vectors } from './kit.ts'

const crypto = cryptos[1]!
const { cases } = vectors('discovery')

test('groups and tokens are those that Reticulum was seen to use', () => {
  for (const each of cases) {
    const options = { scope: each.discovery_scope, addressType: each.multicast_address_type }
    expect(autoGroupAddress(crypto, each.group_id, options)).toBe(each.group_address)
    for (const { from_address, token } of each.tokens) {
      expect(autoToken(crypto, each.group_id, from_address)).toEqual(hex(token))
      expect(isAutoToken(crypto, each.group_id, from_address, hex(token))).toBe(true)
    }
  }
  expect(cases[0]).toMatchObject({
    group_id: AUTO_GROUP_ID,
    discovery_port: AUTO_DISCOVERY_PORT,
    data_port: AUTO_DATA_PORT,
  })
})

test('a token of another address, of another group, or of another length is none', () => {
  const [{ group_id, tokens }] = cases
  const [{ from_address, token }, other] = tokens
  expect(isAutoToken(crypto, group_id, other.from_address, hex(token))).toBe(false)
  expect(isAutoToken(crypto, 'others', from_address, hex(token))).toBe(false)
  for (const length of [0, 31, 33, 1_000]) {
    expect(isAutoToken(crypto, group_id, from_address, systemRandom(length))).toBe(false)
  }
})

test('the table of peers is bounded, and forgets those that are silent', () => {
  const peers = new AutoPeers<number>()
  for (let n = 0; n < AUTO_PEERS_MAX; n++) peers.add(`fe80::${n}%eth0`, n, n)
  expect([peers.isFull, peers.size]).toEqual([true, AUTO_PEERS_MAX])
  expect(() => peers.add('fe80::ffff%eth0', -1, 0)).toThrow(RangeError)
  peers.heard('fe80::0%eth0', 10)
  expect(peers.silent(AUTO_PEER_MS + 9)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  peers.delete('fe80::3%eth0')
  expect([peers.isFull, peers.get('fe80::3%eth0'), peers.get('fe80::4%eth0')]).toEqual([false, undefined, 4])
})
