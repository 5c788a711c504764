import type { EconomyReport } from '@nexus/node/api'
import { grouped, nameOf } from '../model/format.ts'
import { type Account, accountsOf, nxs, nxsChange } from '../model/money.ts'
import type { ShownNode } from '../model/topology.ts'
import type { PageState } from '../state.ts'
import { Card, Empty, Figure, Meter } from './parts.tsx'

type Channel = NonNullable<Account['channel']>
type Lottery = NonNullable<Account['lottery']>

/** What the node that is looked at has earned and owes; nothing where relaying is free. */
export function MoneyCard({ node, state }: { node: ShownNode; state: PageState }) {
  const economy = node.running ? node.status?.economy : undefined
  if (economy === undefined) return null
  const nameFor = (peer: string): string => state.topology.vertices.get(peer)?.name ?? nameOf(peer)
  const accounts = accountsOf(economy)
  return (
    <Card id="money" title={`Money of ${node.name}`}>
      <Balance economy={economy} openedMicro={state.money.openedMicro.get(node.status?.node.nodeId ?? '')} />
      {accounts.length === 0 && <Empty>No neighbour has anything to pay or to be paid for yet.</Empty>}
      <ul class="rows accounts">
        {accounts.map(({ peer, channel, lottery }) => (
          <li key={peer}>
            <div class="row-head">
              <h3>{nameFor(peer)}</h3>
              <span class={channel?.phase === 'ready' ? 'state delivered' : 'tag'}>
                {channel === undefined ? 'no channel yet' : `channel ${channel.phase}`}
              </span>
              {channel !== undefined && <span class="muted small">sequence {grouped(BigInt(channel.sequence))}</span>}
            </div>
            {channel !== undefined && <ChannelBar channel={channel} self={node.name} peer={nameFor(peer)} />}
            {lottery !== undefined && <LotteryFigures lottery={lottery} peer={nameFor(peer)} />}
          </li>
        ))}
      </ul>
    </Card>
  )
}

function Balance({ economy, openedMicro }: { economy: EconomyReport; openedMicro: bigint | undefined }) {
  const balance = BigInt(economy.balanceMicro)
  const sum = (amounts: readonly string[]): bigint => amounts.reduce((total, amount) => total + BigInt(amount), 0n)
  return (
    <dl class="figures money">
      <Figure name="Balance">
        <span class="balance">{nxs(balance)}</span>
      </Figure>
      <Figure name="Since the page opened">{nxsChange(balance - (openedMicro ?? balance))}</Figure>
      <Figure name="Not settled yet">{nxsChange(sum(economy.channels.map(({ owedMicro }) => owedMicro)))}</Figure>
      <Figure name="Earned by relaying">{nxs(sum(economy.lottery.map(({ paidMicro }) => paidMicro)))}</Figure>
      <Figure name="Settlements in the ledger">{grouped(economy.settlements)}</Figure>
      <Figure name="Epoch">{economy.epoch}</Figure>
    </dl>
  )
}

/** Who owes whom, and how much of what the neighbour may owe is taken. */
function ChannelBar({ channel, self, peer }: { channel: Channel; self: string; peer: string }) {
  const [owed, limit, room] = [channel.owedMicro, channel.limitMicro, channel.roomMicro].map(BigInt) as [
    bigint,
    bigint,
    bigint,
  ]
  const share = owed <= 0n ? 0 : limit === 0n ? 1 : Number(owed) / Number(limit)
  return (
    <>
      <p class="budget">
        <span>
          {owed > 0n
            ? `${peer} owes ${self} ${nxs(owed)}`
            : owed < 0n
              ? `${self} owes ${peer} ${nxs(-owed)}`
              : 'Nothing is owed'}
          {`; ${peer} may owe ${nxs(limit)}`}
        </span>
        <b>{nxs(room)} of room</b>
      </p>
      <Meter label={`Of what ${peer} may owe ${self}, taken`} share={share} />
    </>
  )
}

/** Packets of the neighbour that the node relayed for pay. */
function LotteryFigures({ lottery, peer }: { lottery: Lottery; peer: string }) {
  const { taken, refused, drawn, wins, paidMicro, expiredMicro, refusedClaims, exposureMicro, pendingMicro } = lottery
  return (
    <dl class="figures money">
      <Figure name="Packets taken">{grouped(taken)}</Figure>
      <Figure name="Drawn">{grouped(drawn)}</Figure>
      <Figure name="Wins">{grouped(wins)}</Figure>
      <Figure name={`Paid by ${peer}`}>{nxs(BigInt(paidMicro))}</Figure>
      <Figure name="Relayed, not paid yet">{nxs(whole(exposureMicro))}</Figure>
      <Figure name={`${peer} may still claim`}>{nxs(whole(pendingMicro))}</Figure>
      {refused > 0 && <Figure name="Packets refused">{grouped(refused)}</Figure>}
      {refusedClaims > 0 && <Figure name="Claims refused">{grouped(refusedClaims)}</Figure>}
      {expiredMicro !== '0' && <Figure name="Won, never claimed">{nxs(BigInt(expiredMicro))}</Figure>}
    </dl>
  )
}

/** Money is neither made nor lost: the balances of all nodes, together, where these are all nodes that there are. */
export function MeshMoney({ state: { money, nodes, topology } }: { state: PageState }) {
  const { total } = money
  const isClosed = [...topology.vertices.values()].every(({ shown }) => shown) && topology.beyond === 0
  if (total === undefined || !isClosed) return null
  const { micro, steadyMicro, balances } = total
  const away = micro > steadyMicro ? micro - steadyMicro : steadyMicro - micro
  const off = nodes.filter(({ running }) => !running).map(({ name }) => name)
  return (
    <p class="mesh-money">
      <b>Money of the mesh: {nxs(micro)}</b> in {balances} balances.{' '}
      {away === 0n ? 'It only changes hands.' : `A settlement of ${nxs(away)} has not reached every ledger yet.`}
      {off.length > 0 && ` ${off.join(', ')}: as last told.`}
    </p>
  )
}

const whole = (micro: number): bigint => BigInt(Math.round(micro))
