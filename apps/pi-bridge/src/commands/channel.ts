import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readStoredChannels } from '@nexus/channels'
import { toHex } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { openStore } from '@nexus/node'
import { Command, InvalidArgumentError } from 'commander'
import type { z } from 'zod'
import { drill, trySilently } from '../channel/drill.ts'
import { addLiveCommands } from '../channel/live.ts'
import type { channelsSchema, drillSchema } from '../channel/schema.ts'
import { EXIT } from '../cli/exit-codes.ts'
import { action, type Context } from '../cli/frame.ts'
import { copyState, existingState, readState, type StateFlags, statePath } from '../cli/state-file.ts'
import { table } from '../cli/table.ts'
import { plural } from '../cli/units.ts'

interface DrillFlags extends StateFlags {
  readonly backups: number
}

/** `nexus-channel`: the payment channels of a node, in its state and live, and a drill of restoring it. */
export function channelCommand(): Command {
  const command = new Command('nexus-channel').description(
    'Look at the payment channels of a node, settle them, dispute them.',
  )
  const state = ['--state <file>', 'state file of a node; that of the configuration, if not given'] as const
  command
    .command('list')
    .description('Show the channels that a node keeps: with whom, and who owes whom.')
    .option(...state)
    .action(action<StateFlags>((context) => list(context)))
  addLiveCommands(command)
  command
    .command('drill-restore')
    .description(
      'Start a node from old backups, on this disk and in a folder of its own, and see that it signs nothing old and has its ' +
        'balance again once its peer answers; then try the same on a copy of the node’s state, with all peers silent. Exit code 1 where it does not hold.',
    )
    .option('--backups <count>', 'how many backups to start from, 1 to 200', backupsCount, 20)
    .option(...state)
    .action(action<DrillFlags>((context) => drillRestore(context)))
  return command
}

async function list({ global, flags, out }: Context<StateFlags>): Promise<undefined> {
  const crypto = await nodeCrypto()
  const { channels, unreadable } = readState(existingState(global, flags), (store) => readStoredChannels(crypto, store))
  out.json({
    schema: 'nexus-channels/1',
    unreadable,
    channels: channels.map((each) => ({
      peer: toHex(each.peerId),
      channelId: toHex(each.channelId),
      phase: each.phase,
      sequence: `${each.sequence}`,
      settledSequence: each.settledSequence === undefined ? null : `${each.settledSequence}`,
      owedMicro: `${each.owedMicro}`,
      pendingMicro: `${each.pendingMicro}`,
    })),
  } satisfies z.infer<typeof channelsSchema>)
  const rows = channels.map((each) => [
    toHex(each.peerId),
    each.phase,
    `${each.owedMicro}`,
    `${each.pendingMicro}`,
    `${each.sequence}`,
    each.settledSequence === undefined ? '–' : `${each.settledSequence}`,
  ])
  const right = ['owes, µNXS', 'pending', 'sequence', 'settled'].map((title) => ({ title, align: 'right' }) as const)
  out.print(table([{ title: 'peer' }, { title: 'state' }, ...right], rows, out.colors))
  if (unreadable > 0)
    out.say(`${plural(unreadable, 'record')} cannot be read: learnt from the peers again at the next start`)
  return undefined
}

async function drillRestore({ global, flags, out }: Context<DrillFlags>): Promise<number> {
  const crypto = await nodeCrypto()
  const folder = mkdtempSync(join(tmpdir(), 'nexus-drill-'))
  try {
    const rows = drill(crypto, systemRandom, folder, flags.backups)
    const hasState = flags.state !== undefined || existsSync(statePath(global, flags))
    const own = hasState
      ? onCopy(existingState(global, flags), (store) => trySilently(crypto, systemRandom, store))
      : []
    const ok = rows.every((row) => row.ok) && own.every(({ signed, closed }) => signed === 0 && !closed)
    out.json({
      schema: 'nexus-channel-drill/1',
      ok,
      backups: rows.map((row) => ({
        backupSequence: `${row.backupSequence}`,
        newestSequence: `${row.newestSequence}`,
        signedWhileSilent: row.signedWhileSilent,
        closedWhileSilent: row.closedWhileSilent,
        lowestSigned: row.lowestSigned === undefined ? null : `${row.lowestSigned}`,
        balanceRegained: row.balanceRegained,
      })),
      own: own.map(({ peerId, sequence, signed, closed }) => ({
        peer: toHex(peerId),
        sequence: `${sequence}`,
        signed,
        closed,
      })),
    } satisfies z.infer<typeof drillSchema>)
    const right = ['backup at', 'peer at', 'signed in silence', 'then from'].map(
      (title) => ({ title, align: 'right' }) as const,
    )
    const shown = rows.map((row) => [
      `${row.backupSequence}`,
      `${row.newestSequence}`,
      `${row.signedWhileSilent}`,
      row.lowestSigned === undefined ? '–' : `${row.lowestSigned}`,
      row.balanceRegained ? 'yes' : 'NO',
    ])
    out.print(table([...right, { title: 'balance regained' }], shown, out.colors))
    if (hasState)
      out.print(
        `On a copy of the node's state, ${plural(own.length, 'channel')}: ${own.some(({ signed, closed }) => signed > 0 || closed) ? 'something was signed' : 'nothing signed, nothing closed'} while the peers are silent.`,
      )
    out.print(
      ok ? `${plural(rows.length, 'backup')}: nothing old was signed, no balance was lost.` : 'It does not hold.',
    )
    return ok ? EXIT.ok : EXIT.failed
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Works on a copy of the state file, since a node writes to its channels as soon as it has them. */
function onCopy<T>(path: string, work: (store: ReturnType<typeof openStore>['store']) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-channel-'))
  try {
    const copy = join(folder, 'state.db')
    copyState(path, copy)
    const { store } = openStore(copy)
    try {
      return work(store)
    } finally {
      store.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function backupsCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 200)
    throw new InvalidArgumentError('a whole number from 1 to 200')
  return count
}
