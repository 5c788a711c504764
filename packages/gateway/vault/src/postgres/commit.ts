import { concatBytes, equalBytes, toHex } from '@nexus/codec'
import type { PoolClient } from 'pg'
import { VaultError } from '../errors.ts'
import { idempotencyHash } from '../log/entry.ts'
import { type Append, type BatchPlan, type BatchView, type LogSigner, planBatch } from '../plan.ts'
import { bytes, frontierOf, personOf, type Row, totalsOf } from '../rows.ts'
import type { Committed } from '../store.ts'

/** Row numbers of the parties of a batch, by pseudonym in hex. */
type Numbers = Map<string, string>

/**
 * The body of one transaction: takes the log's row for itself, reads, plans, writes. Whoever else commits to this log
 * waits at that row, so indices are dense and in the order of the commits, whatever the isolation level.
 */
export async function commitBatch(
  client: PoolClient,
  signer: LogSigner,
  batch: readonly Append[],
  nowMs: number,
): Promise<Committed> {
  const numbers: Numbers = new Map()
  const view = await readView(client, signer, batch, numbers)
  const plan = planBatch(signer, view, batch, nowMs)
  if (plan.head !== undefined) await write(client, plan, plan.head, numbers)
  const entries = plan.entries.map(({ requestHash: _, ...entry }) => entry)
  return { outcomes: plan.outcomes, entries, ...(plan.head && { head: plan.head }) }
}

async function readView(
  client: PoolClient,
  { crypto, logId }: LogSigner,
  batch: readonly Append[],
  numbers: Numbers,
): Promise<BatchView> {
  const { rows } = await client.query('SELECT *, size AS entries FROM log FOR UPDATE')
  const log: Row = rows[0]
  if (!equalBytes(bytes(log, 'log_id'), logId)) {
    throw new VaultError({ code: 'vault/corrupt', what: 'the database holds another log than when it was opened' })
  }
  const identities = [...new Set(batch.flatMap(({ actor, account }) => [actor, account]))]
  const met = await client.query(
    'SELECT identity, salt, p.* FROM person JOIN party p ON p.no = person.party WHERE identity = ANY($1)',
    [identities],
  )
  const people = new Map()
  const accounts = new Map()
  for (const row of met.rows) {
    const person = personOf(row)
    people.set(row.identity, person)
    accounts.set(toHex(person.pseudonym), totalsOf(row))
    numbers.set(toHex(person.pseudonym), row.no)
  }
  const asked = batch.flatMap(({ actor, route, idempotencyKey }) => {
    const person = people.get(actor)
    return person === undefined ? [] : [idempotencyHash(crypto, person.pseudonym, route, idempotencyKey)]
  })
  const answered = await client.query('SELECT idempotency, idx, request_hash FROM entry WHERE idempotency = ANY($1)', [
    asked,
  ])
  const known = new Map(
    answered.rows.map((row: Row) => [
      toHex(bytes(row, 'idempotency')),
      { index: Number(row['idx']), requestHash: bytes(row, 'request_hash') },
    ]),
  )
  const ledger = totalsOf(log)
  const lastHeadTimeMs = Number(log['time_ms'])
  return { frontier: frontierOf(log), lastHeadTimeMs, ledger, people, accounts, known }
}

async function write(
  client: PoolClient,
  plan: BatchPlan,
  head: NonNullable<BatchPlan['head']>,
  numbers: Numbers,
): Promise<void> {
  if (plan.newPeople.length > 0) await addPeople(client, plan.newPeople, numbers)
  await addEntries(client, plan.entries, numbers)
  await setTotals(client, plan.accounts, numbers)
  const { nodes } = plan
  if (nodes.length > 0) {
    await client.query('INSERT INTO node SELECT * FROM unnest($1::int[], $2::bigint[], $3::bytea[])', [
      nodes.map(({ level }) => level),
      nodes.map(({ index }) => index),
      nodes.map(({ hash }) => hash),
    ])
  }
  await client.query('INSERT INTO head VALUES ($1, $2, $3, $4)', [head.size, head.root, head.timeMs, head.signature])
  const { amount, creator, pool, fee } = plan.ledger
  await client.query(
    'UPDATE log SET size = $1, frontier = $2, time_ms = $3, amount = $4, creator = $5, pool = $6, fee = $7',
    [head.size, concatBytes(...plan.frontier.hashes), head.timeMs, amount, creator, pool, fee],
  )
}

async function addPeople(client: PoolClient, people: BatchPlan['newPeople'], numbers: Numbers): Promise<void> {
  const made = await client.query(
    `INSERT INTO party (pseudonym, amount, creator, pool, fee, entries)
     SELECT pseudonym, 0, 0, 0, 0, 0 FROM unnest($1::bytea[]) AS pseudonym RETURNING no, pseudonym`,
    [people.map(({ pseudonym }) => pseudonym)],
  )
  for (const row of made.rows) numbers.set(toHex(bytes(row, 'pseudonym')), row.no)
  await client.query('INSERT INTO person SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[])', [
    people.map(({ identity }) => identity),
    people.map(({ salt }) => salt),
    people.map(({ pseudonym }) => numbers.get(toHex(pseudonym))),
  ])
}

async function addEntries(client: PoolClient, entries: BatchPlan['entries'], numbers: Numbers): Promise<void> {
  await client.query(
    `INSERT INTO entry SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[],
       $6::bigint[], $7::bigint[], $8::bigint[], $9::int[], $10::bigint[], $11::bytea[], $12::bytea[])`,
    [
      entries.map(({ index }) => index),
      entries.map(({ id }) => id),
      entries.map(({ actor }) => numbers.get(toHex(actor))),
      entries.map(({ account }) => numbers.get(toHex(account))),
      entries.map(({ amount }) => amount),
      entries.map(({ creator }) => creator),
      entries.map(({ pool }) => pool),
      entries.map(({ fee }) => fee),
      entries.map(({ policy }) => policy),
      entries.map(({ timeMs }) => timeMs),
      entries.map(({ idempotency }) => idempotency),
      entries.map(({ requestHash }) => requestHash),
    ],
  )
}

async function setTotals(client: PoolClient, accounts: BatchPlan['accounts'], numbers: Numbers): Promise<void> {
  const changed = [...accounts]
  const column = (name: 'amount' | 'creator' | 'pool' | 'fee' | 'entries') => changed.map(([, totals]) => totals[name])
  await client.query(
    `UPDATE party SET amount = new.amount, creator = new.creator, pool = new.pool, fee = new.fee, entries = new.entries
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
       AS new (no, amount, creator, pool, fee, entries) WHERE party.no = new.no`,
    [
      changed.map(([pseudonym]) => numbers.get(pseudonym)),
      column('amount'),
      column('creator'),
      column('pool'),
      column('fee'),
      column('entries'),
    ],
  )
}
