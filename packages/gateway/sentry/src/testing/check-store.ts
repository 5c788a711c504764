import { describe, expect, onTestFinished, test } from 'vitest'
import { exportDids, importDids, keepDidRecord, resolveDid } from '../did-document.ts'
import type { DidDocumentStore, SentryStore, Session, UsedNonce } from '../store.ts'

type Store = SentryStore & DidDocumentStore

/** A place where stores of one engine are made. */
export interface SentryStoreHost {
  /** An empty store of its own; `reopen` opens the same one again, beside those that are open. */
  create(): Promise<{ readonly store: Store; reopen(): Promise<Store> }>
}

/** Checks an engine against what the sentry needs of it. `host` is called once for each test. */
export function checkSentryStore(name: string, host: () => Promise<SentryStoreHost>): void {
  describe(`${name}: a store of the sentry`, () => {
    checkNonces(host)
    checkSessions(host)
    checkGrants(host)
    checkDocuments(host)
  })
}

type Host = () => Promise<SentryStoreHost>

function checkNonces(host: Host): void {
  test('a nonce is new once, in this store and in others on the same data, after a restart too', async () => {
    const { store, reopen } = await create(host)
    const nonces = [nonce(1), nonce(2), nonce(3)]
    expect(await store.useNonces(nonces)).toEqual([true, true, true])
    expect(await store.useNonces([nonce(4), nonce(2)])).toEqual([true, false])
    const other = await reopen()
    expect(await other.useNonces([nonce(1), nonce(5)])).toEqual([false, true])
    expect(await store.useNonces([nonce(5)])).toEqual([false])
    await store.close()
    await other.close()
    const again = await reopen()
    expect(await again.useNonces([nonce(1), nonce(4), nonce(5), nonce(6)])).toEqual([false, false, false, true])
    await again.close()
  })

  test('of many who bring one nonce at once, one is first', async () => {
    const { store, reopen } = await create(host)
    const other = await reopen()
    for (let round = 0; round < 20; round++) {
      const batch = Array.from({ length: 10 }, (_, at) => nonce(round * 10 + at))
      const answers = await Promise.all([store, other, store, other].map((each) => each.useNonces(batch)))
      for (let at = 0; at < 10; at++) expect(answers.filter((fresh) => fresh[at])).toHaveLength(1)
    }
    await other.close()
    await store.close()
  })

  test('what may have been forgotten is never new again', async () => {
    const { store, reopen } = await create(host)
    await store.useNonces([nonce(1, 1_000), nonce(2, 2_000), nonce(3, 3_000)])
    await store.forgetNonces(2_000)
    expect(await store.forgetNonces(2_000)).toBe(1)
    const used = [nonce(1, 1_000), nonce(2, 2_000), nonce(9, 2_000), nonce(3, 3_000), nonce(4, 2_001)]
    expect(await store.useNonces(used)).toEqual([false, false, false, false, true])
    // A clock that was set back does not lower what was forgotten.
    await store.forgetNonces(500)
    const other = await reopen()
    expect(await other.useNonces([nonce(9, 1_500)])).toEqual([false])
    await other.close()
    await store.close()
  })

  test('many are forgotten, and counted', async () => {
    const { store } = await create(host)
    for (let from = 0; from < 12_000; from += 1_000) {
      await store.useNonces(Array.from({ length: 1_000 }, (_, at) => nonce(from + at, from + at + 1)))
    }
    await store.forgetNonces(11_000)
    expect(await store.forgetNonces(11_000)).toBe(1_000)
    await store.close()
  })
}

function checkSessions(host: Host): void {
  test('sessions are found in the order asked, until they end', async () => {
    const { store, reopen } = await create(host)
    const [ann, bob] = [session(1, 'did:key:ann', 5_000), session(2, 'did:key:bob', 6_000)]
    await store.addSession(ann, 8)
    await store.addSession(bob, 8)
    expect(await store.look([bob.id, id(3), ann.id, bob.id])).toEqual({
      sessions: [bob, undefined, ann, bob],
      grants: 0,
    })
    expect(await store.endSession(bob.id)).toBe(true)
    expect(await store.endSession(bob.id)).toBe(false)
    const other = await reopen()
    expect((await other.look([ann.id, bob.id])).sessions).toEqual([ann, undefined])
    expect(await other.forgetSessions(4_999)).toBe(1)
    expect(await other.forgetSessions(5_000)).toBe(0)
    expect((await store.look([ann.id])).sessions).toEqual([undefined])
    await other.close()
    await store.close()
  })

  test('an identity has so many sessions, and the one that ends first gives way', async () => {
    const { store } = await create(host)
    const sessions = Array.from({ length: 5 }, (_, at) => session(at, 'did:key:ann', 1_000 + at))
    const bob = session(9, 'did:key:bob', 1)
    await store.addSession(bob, 3)
    for (const each of sessions) await store.addSession(each, 3)
    const { sessions: found } = await store.look([...sessions, bob].map((each) => each.id))
    expect(found).toEqual([undefined, undefined, ...sessions.slice(2), bob])
    expect(await store.endSessionsOf('did:key:ann')).toBe(3)
    expect(await store.endSessionsOf('did:key:ann')).toBe(0)
    await store.close()
  })
}

function checkGrants(host: Host): void {
  test('the grant log is dense, and one of two who append at once does', async () => {
    const { store, reopen } = await create(host)
    const other = await reopen()
    expect(await store.appendGrant(1, bytes(1))).toBe(false)
    for (let index = 0; index < 20; index++) {
      const won = await Promise.all([store.appendGrant(index, bytes(index)), other.appendGrant(index, bytes(index))])
      expect(won.filter(Boolean)).toHaveLength(1)
    }
    expect(await store.appendGrant(3, bytes(9))).toBe(false)
    expect((await other.look([])).grants).toBe(20)
    expect(await other.grantsFrom(17, 100)).toEqual([bytes(17), bytes(18), bytes(19)])
    expect(await store.grantsFrom(2, 2)).toEqual([bytes(2), bytes(3)])
    await other.close()
    await store.close()
  })
}

function checkDocuments(host: Host): void {
  test('documents are kept, listed in order, and carried to another store', async () => {
    const { store } = await create(host)
    const account = (digit: number) => `did:pkh:tvm:-239:0%3A${String(digit).repeat(64)}`
    const services = [{ name: 'shop', type: 'LinkedDomains', endpoint: 'https://shop.example' }]
    for (const digit of [3, 1, 2]) await keepDidRecord(store, { did: account(digit), alsoKnownAs: [], services: [] })
    await keepDidRecord(store, { did: account(2), alsoKnownAs: ['telegram:77'], services })
    expect(await store.countDocuments()).toBe(3)
    expect(await store.dids('', 2)).toEqual([account(1), account(2)])
    expect(await store.dids(account(2), 2)).toEqual([account(3)])
    const { store: elsewhere } = await create(host)
    expect(await importDids(elsewhere, exportDids(store))).toBe(3)
    expect(await resolveDid(elsewhere, account(2))).toBe(await store.document(account(2)))
    expect(await store.removeDocument(account(2))).toBe(true)
    expect(await store.removeDocument(account(2))).toBe(false)
    expect(await store.document(account(2))).toBeUndefined()
    await elsewhere.close()
    await store.close()
  })
}

async function create(host: Host): Promise<{ store: Store; reopen(): Promise<Store> }> {
  const { store, reopen } = await (await host()).create()
  onTestFinished(() => store.close())
  return { store, reopen }
}

function nonce(at: number, untilMs = 1_000): UsedNonce {
  return { hash: id(at), untilMs }
}

function session(at: number, identity: string, expiresMs: number): Session {
  return { id: id(at), identity, adapter: 'telegram', expiresMs }
}

function id(at: number): Uint8Array {
  const made = new Uint8Array(16).fill(at & 0xff)
  new DataView(made.buffer).setUint32(12, at)
  return made
}

function bytes(at: number): Uint8Array {
  return Uint8Array.of(1, 2, at)
}
