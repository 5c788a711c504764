import { parseAmount } from '@nexus/allocation'
import { encodeUtf8, equalBytes, toHex } from '@nexus/codec'
import type { Page } from '@nexus/vault'
import { z } from 'zod'
import { PAGE_DEFAULT } from '../limits.ts'
import { cursorOf, cursorText, exportCursorOf, exportCursorText } from './cursor.ts'
import { type Answer, type Asked, notFound, type Route, route } from './route.ts'
import * as schemas from './schemas.ts'

/** The operation that idempotency keys of entries belong to. */
export const ENTRY_ROUTE = 'POST/v1/entries'

const account = z.strictObject({ account: schemas.identity })
const atIndex = z.strictObject({ index: schemas.index })
const ofAccount = schemas.identity.optional().describe('needed by owner and app: whose entry it is')
const erased = z.strictObject({ erased: z.boolean() }).meta({ id: 'Erased' })

/** Entries, accounts, history, state and proofs. */
export const ledgerRoutes: readonly Route[] = [
  route(
    {
      method: 'POST',
      path: '/v1/entries',
      operationId: 'createEntry',
      summary: 'Allocate an amount to an account; answered when it is durable',
      action: 'entry.create',
      body: schemas.newEntry,
      answers: { 201: schemas.receipt },
      problems: [409, 415, 422],
    },
    async ({ services: { vault, crypto }, envelope, body, authorise }) => {
      authorise('entry.create', body.account)
      const amount = typeof body.amount === 'string' ? parseAmount(body.amount) : BigInt(body.amount)
      const { account: to, policy } = body
      const requestHash = crypto.sha256(encodeUtf8(JSON.stringify([to, `${amount}`, policy])))
      const receipt = await vault.append({
        actor: envelope.identity.id,
        account: to,
        amount,
        policy,
        route: ENTRY_ROUTE,
        idempotencyKey: envelope.payload.idempotencyKey!,
        requestHash,
      })
      const headers = receipt.replayed ? { 'idempotency-replayed': 'true' } : {}
      return { status: 201, json: schemas.receiptJson(receipt), headers }
    },
  ),
  route(
    {
      method: 'GET',
      path: '/v1/entries',
      operationId: 'listEntries',
      summary: 'The whole log, newest first; pages stay as they are while it grows',
      action: 'log.read',
      query: schemas.pageQuery,
      answers: { 200: schemas.page },
      problems: [422],
    },
    async ({ services: { vault }, query, authorise }) => {
      authorise('log.read')
      const { count = PAGE_DEFAULT } = query
      return ok(pageJson(await vault.history({ count, ...cursorOption(query.cursor) })))
    },
  ),
  route(
    {
      method: 'GET',
      path: '/v1/entries/{index}',
      operationId: 'getEntry',
      summary: 'An entry and the head that its receipt has',
      action: 'log.prove',
      params: atIndex,
      query: z.strictObject({ account: ofAccount }),
      answers: { 200: schemas.receipt },
      problems: [404, 422],
    },
    async (asked) => ok(schemas.receiptJson(await receiptFor(asked))),
  ),
  route(
    {
      method: 'GET',
      path: '/v1/entries/{index}/proof',
      operationId: 'proveEntry',
      summary: 'Proof that an entry is in the log of the newest head',
      action: 'log.prove',
      params: atIndex,
      query: z.strictObject({ account: ofAccount }),
      answers: { 200: schemas.inclusionProof },
      problems: [404, 422],
    },
    async (asked) => {
      const { vault } = asked.services
      const { entry } = await receiptFor(asked)
      const head = (await vault.head())!
      const inclusion = (await vault.inclusion(entry.index, head.size)).map(toHex)
      const proof = { entry: schemas.entryJson(entry), head: schemas.headJson(head), inclusion }
      return ok({ ...proof, publicKey: toHex(vault.publicKey) })
    },
  ),
  route(
    {
      method: 'GET',
      path: '/v1/accounts/{account}',
      operationId: 'getAccount',
      summary: 'What an account has taken in',
      action: 'account.read',
      params: account,
      answers: { 200: schemas.totals },
      problems: [404, 422],
    },
    async ({ services: { vault }, params, authorise }) => {
      authorise('account.read', params.account)
      const totals = await vault.account(params.account)
      if (totals === undefined) throw notFound('the account has no entries')
      return ok(schemas.totalsJson(totals))
    },
  ),
  route(
    {
      method: 'GET',
      path: '/v1/accounts/{account}/entries',
      operationId: 'listAccountEntries',
      summary: 'Entries of an account, newest first',
      action: 'account.read',
      params: account,
      query: schemas.pageQuery,
      answers: { 200: schemas.page },
      problems: [422],
    },
    async ({ services: { vault }, params, query, authorise }) => {
      authorise('account.read', params.account)
      const { count = PAGE_DEFAULT } = query
      const page = await vault.history({ account: params.account, count, ...cursorOption(query.cursor) })
      return ok(pageJson(page))
    },
  ),
  route(
    {
      method: 'GET',
      path: '/v1/accounts/{account}/export',
      operationId: 'exportAccount',
      summary: 'Everything that the ledger holds of a person, in pages',
      action: 'account.export',
      params: account,
      query: z.strictObject({
        cursor: z
          .string()
          .regex(/^(credited|asked)-[0-9]{1,15}$/)
          .optional(),
      }),
      answers: { 200: schemas.personalData },
      problems: [404, 422],
    },
    async ({ services: { vault }, params, query, authorise }) => {
      authorise('account.export', params.account)
      const page = await vault.export(params.account, exportCursorOf(query.cursor))
      if (page === undefined) throw notFound('nothing is known of this identity')
      return ok({
        identity: page.identity,
        salt: toHex(page.salt),
        pseudonym: toHex(page.pseudonym),
        ...(page.totals && { totals: schemas.totalsJson(page.totals) }),
        credited: page.credited.map(schemas.entryJson),
        asked: page.asked.map(schemas.entryJson),
        ...(page.next && { next: exportCursorText(page.next) }),
      })
    },
  ),
  route(
    {
      method: 'DELETE',
      path: '/v1/accounts/{account}',
      operationId: 'eraseAccount',
      summary: 'Forget who is behind an account; its entries and their proofs stay',
      action: 'account.erase',
      params: account,
      answers: { 200: erased },
      problems: [422],
    },
    async ({ services: { vault }, params, authorise }) => {
      authorise('account.erase', params.account)
      return ok({ erased: await vault.erase(params.account) })
    },
  ),
  route(
    {
      method: 'GET',
      path: '/v1/totals',
      operationId: 'getTotals',
      summary: 'What all accounts have taken in, and its split',
      action: 'log.read',
      answers: { 200: schemas.totals },
    },
    async ({ services: { vault }, authorise }) => {
      authorise('log.read')
      return ok(schemas.totalsJson(await vault.totals()))
    },
  ),
  route(
    {
      method: 'GET',
      path: '/v1/state',
      operationId: 'getState',
      summary: 'The newest signed head: size and root of the log; no head while it is empty',
      action: 'own',
      answers: { 200: schemas.state },
    },
    async ({ services: { vault } }) => {
      const head = await vault.head()
      return ok({ ...(head && { head: schemas.headJson(head) }), publicKey: toHex(vault.publicKey) })
    },
  ),
  route(
    {
      method: 'GET',
      path: '/v1/consistency',
      operationId: 'proveConsistency',
      summary: 'Proof that the log of one size begins that of another',
      action: 'own',
      query: z.strictObject({ first: schemas.size, size: schemas.size }),
      answers: { 200: schemas.consistencyProof },
      problems: [404, 422],
    },
    async ({ services: { vault }, query: { first, size } }) =>
      ok({ first, size, consistency: (await vault.consistency(first, size)).map(toHex) }),
  ),
]

function ok(json: unknown): Answer {
  return { status: 200, json }
}

/** An entry for whom may see it: those who read the log, or those of the account that it stands in. */
export async function receiptFor({
  services: { vault },
  params: { index },
  query,
  authorise,
}: Asked<{ index: number }, { account?: string | undefined }, unknown>) {
  authorise('log.prove', query.account)
  const [receipt, pseudonym] = await Promise.all([
    vault.receipt(index),
    query.account === undefined ? undefined : vault.pseudonym(query.account),
  ])
  const isIts = query.account === undefined || (pseudonym && receipt && equalBytes(receipt.entry.account, pseudonym))
  if (receipt === undefined || isIts !== true) throw notFound('there is no such entry')
  return receipt
}

function pageJson({ entries, next }: Page) {
  return { entries: entries.map(schemas.entryJson), ...(next && { next: cursorText(next) }) }
}

function cursorOption(text: string | undefined) {
  const cursor = cursorOf(text)
  return cursor === undefined ? {} : { cursor }
}
