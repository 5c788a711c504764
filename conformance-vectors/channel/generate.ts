// Writes the vectors of this folder: node --conditions=nexus-source conformance-vectors/channel/generate.ts
import { writeFileSync } from 'node:fs'
import {
  type ChannelMessage,
  type ChannelState,
  CLOSE_TAG,
  type CloseRecord,
  closeHash,
  closeSignedBytes,
  encodeChannelMessage,
  encodeClose,
  encodeSettlement,
  encodeState,
  NO_SIGNATURE,
  openingState,
  SETTLEMENT_TAG,
  type Settlement,
  STATE_TAG,
  settlementHash,
  settlementSignedBytes,
  stateHash,
  stateSignedBytes,
} from '@nexus/channels'
import { compareBytes, toHex } from '@nexus/codec'
import { portable } from '@nexus/crypto'
import { createIdentity, type Identity } from '@nexus/identity'

type Case = { readonly id: string; readonly in: object } & ({ readonly out: object } | { readonly error: string })

function write(op: string, cases: readonly Case[]): void {
  const lines = cases.map((each) => `    ${JSON.stringify(each)}`)
  const text = `{\n  "schema": "nexus-vectors/1",\n  "op": ${JSON.stringify(op)},\n  "cases": [\n${lines.join(',\n')}\n  ]\n}\n`
  writeFileSync(new URL(`${op}.json`, import.meta.url), text)
}

const crypto = portable()
const count = (length: number, from = 0) => Uint8Array.from({ length }, (_, at) => (from + at) & 0xff)
const [a, b] = [createIdentity(crypto, count(32, 1)), createIdentity(crypto, count(32, 101))].sort((x, y) =>
  compareBytes(x.nodeId, y.nodeId),
) as [Identity, Identity]
const networkId = count(16, 0x30)
const otherNetwork = count(16, 0x31)
const nonce = count(16, 0xa0)
const opening = openingState(crypto, a.nodeId, b.nodeId, nonce)

function state(
  sequence: bigint,
  paidMicro: bigint,
  network = networkId,
  signers: [Identity, Identity] = [a, b],
): ChannelState {
  const draft = {
    ...opening,
    sequence,
    balanceAMicro: opening.balanceAMicro - paidMicro,
    balanceBMicro: opening.balanceBMicro + paidMicro,
  }
  const signed = stateSignedBytes(draft)
  return {
    ...draft,
    signatureA: signers[0].sign(STATE_TAG, network, signed),
    signatureB: signers[1].sign(STATE_TAG, network, signed),
  }
}

const keys = { keyA: toHex(a.publicKey), keyB: toHex(b.publicKey) }
const network = { networkId: toHex(networkId) }

// States

const stateFields = (each: ChannelState) => ({
  channelId: toHex(each.channelId),
  partyA: toHex(each.partyA),
  partyB: toHex(each.partyB),
  balanceA: each.balanceAMicro.toString(),
  balanceB: each.balanceBMicro.toString(),
  sequence: each.sequence.toString(),
  signatureA: toHex(each.signatureA),
  signatureB: toHex(each.signatureB),
})
const states: Record<string, ChannelState> = {
  'state 0': state(0n, 0n),
  'a paid 1 234': state(7n, 1_234n),
  'b paid, after a jump': state((1n << 43n) + 5n, -987_654_321n),
  'signed by a alone': { ...state(8n, 2_000n), signatureB: NO_SIGNATURE },
  'greatest sequence': state((1n << 63n) - 1n, 1n),
  'b has all': state(9n, opening.balanceAMicro),
}
const stateBytes = encodeState(state(7n, 1_234n))

function spoilt(bytes: Uint8Array, spoil: (view: DataView, bytes: Uint8Array) => void): string {
  const copy = bytes.slice()
  spoil(new DataView(copy.buffer), copy)
  return toHex(copy)
}

write('channel.decode', [
  ...Object.entries(states).map(([id, each]) => ({
    id,
    in: { bytes: toHex(encodeState(each)) },
    out: { ...stateFields(each), hash: toHex(stateHash(crypto, each)) },
  })),
  { id: 'cut', in: { bytes: toHex(stateBytes.subarray(0, 199)) }, error: 'channels/length' },
  { id: 'one byte more', in: { bytes: `${toHex(stateBytes)}00` }, error: 'channels/length' },
  { id: 'empty', in: { bytes: '' }, error: 'channels/length' },
  {
    id: 'parties out of order',
    in: {
      bytes: spoilt(stateBytes, (_, bytes) => {
        bytes.set(b.nodeId, 16)
        bytes.set(a.nodeId, 32)
      }),
    },
    error: 'channels/parties',
  },
  {
    id: 'with itself',
    in: { bytes: spoilt(stateBytes, (_, bytes) => bytes.copyWithin(32, 16, 32)) },
    error: 'channels/parties',
  },
  {
    id: 'balances of 2^63 in sum',
    in: {
      bytes: spoilt(stateBytes, (view) => {
        view.setBigUint64(48, 1n << 62n, true)
        view.setBigUint64(56, 1n << 62n, true)
      }),
    },
    error: 'channels/balances',
  },
  {
    id: 'balances whose sum wraps around',
    in: {
      bytes: spoilt(stateBytes, (view) => {
        view.setBigUint64(48, (1n << 64n) - 1n, true)
        view.setBigUint64(56, 2n, true)
      }),
    },
    error: 'channels/balances',
  },
  {
    id: 'sequence 2^63',
    in: { bytes: spoilt(stateBytes, (view) => view.setBigUint64(64, 1n << 63n, true)) },
    error: 'channels/sequence',
  },
])

write(
  'channel.encode',
  Object.entries(states).map(([id, each]) => ({ id, in: stateFields(each), out: { bytes: toHex(encodeState(each)) } })),
)

const verifying = (id: string, each: ChannelState, valid: boolean, given: object = {}): Case => ({
  id,
  in: { bytes: toHex(encodeState(each)), ...keys, ...network, ...given },
  out: { valid },
})
write('channel.verify', [
  verifying('both signed', state(7n, 1_234n), true),
  verifying('state 0', state(0n, 0n), true),
  verifying('of another network', state(7n, 1_234n, otherNetwork), false),
  verifying('checked in another network', state(7n, 1_234n), false, { networkId: toHex(otherNetwork) }),
  verifying('not signed by b', { ...state(7n, 1_234n), signatureB: NO_SIGNATURE }, false),
  verifying('signed by b in the place of a', state(7n, 1_234n, networkId, [b, b]), false),
  verifying('keys exchanged', state(7n, 1_234n), false, { keyA: keys.keyB, keyB: keys.keyA }),
  verifying('one balance changed', { ...state(7n, 1_234n), balanceAMicro: opening.balanceAMicro - 1_233n }, false),
  verifying('one sequence later', { ...state(7n, 1_234n), sequence: 8n }, false),
])

write('channel.id', [
  {
    id: 'of two parties and a nonce',
    in: { partyA: toHex(a.nodeId), partyB: toHex(b.nodeId), nonce: toHex(nonce) },
    out: { channelId: toHex(opening.channelId) },
  },
])

// Settlements

function settlement(
  fields: Partial<Settlement> = {},
  network = networkId,
  parties: [Identity, Identity] = [a, b],
): Settlement {
  const draft: Settlement = {
    channelId: opening.channelId,
    keyA: parties[0].publicKey,
    keyB: parties[1].publicKey,
    amountAToBMicro: 4_321n,
    prevSequence: 0n,
    finalSequence: 7n,
    payerSeq: 1n,
    signatureA: NO_SIGNATURE,
    signatureB: NO_SIGNATURE,
    ...fields,
  }
  const signed = settlementSignedBytes(draft)
  return {
    ...draft,
    signatureA: parties[0].sign(SETTLEMENT_TAG, network, signed),
    signatureB: parties[1].sign(SETTLEMENT_TAG, network, signed),
  }
}
const settlementFields = (each: Settlement) => ({
  channelId: toHex(each.channelId),
  keyA: toHex(each.keyA),
  keyB: toHex(each.keyB),
  amountAToB: each.amountAToBMicro.toString(),
  prevSequence: each.prevSequence.toString(),
  finalSequence: each.finalSequence.toString(),
  payerSeq: each.payerSeq.toString(),
  signatureA: toHex(each.signatureA),
  signatureB: toHex(each.signatureB),
  hash: toHex(settlementHash(crypto, each)),
})
const settlements: Record<string, Settlement> = {
  'a pays': settlement(),
  'b pays, the least there is': settlement({
    amountAToBMicro: -1_000n,
    prevSequence: 7n,
    finalSequence: 8n,
    payerSeq: 2n,
  }),
  'greatest values': settlement({
    amountAToBMicro: -(1n << 63n) + 1n,
    prevSequence: (1n << 63n) - 2n,
    finalSequence: (1n << 63n) - 1n,
    payerSeq: (1n << 64n) - 2n,
  }),
}
const settlementBytes = encodeSettlement(settlement())
const badSettlement = (id: string, error: string, spoil: (view: DataView, bytes: Uint8Array) => void): Case => ({
  id,
  in: { bytes: spoilt(settlementBytes, spoil) },
  error,
})
write('settlement.decode', [
  ...Object.entries(settlements).map(([id, each]) => ({
    id,
    in: { bytes: toHex(encodeSettlement(each)) },
    out: settlementFields(each),
  })),
  { id: 'cut', in: { bytes: toHex(settlementBytes.subarray(1)) }, error: 'channels/length' },
  badSettlement('with itself', 'channels/parties', (_, bytes) => bytes.copyWithin(48, 16, 48)),
  badSettlement('nothing', 'channels/amount', (view) => view.setBigInt64(80, 0n, true)),
  badSettlement('999', 'channels/amount', (view) => view.setBigInt64(80, 999n, true)),
  badSettlement('−2^63', 'channels/amount', (view) => view.setBigInt64(80, -(1n << 63n), true)),
  badSettlement('final = prev', 'channels/sequence', (view) => view.setBigUint64(88, 7n, true)),
  badSettlement('final 2^63', 'channels/sequence', (view) => view.setBigUint64(96, 1n << 63n, true)),
  badSettlement('debit 0', 'channels/payer-seq', (view) => view.setBigUint64(104, 0n, true)),
  badSettlement('debit 2^64 − 1', 'channels/payer-seq', (view) => view.setBigUint64(104, (1n << 64n) - 1n, true)),
])
const settled = (id: string, each: Settlement, valid: boolean, given: object = {}): Case => ({
  id,
  in: { bytes: toHex(encodeSettlement(each)), ...network, ...given },
  out: { valid },
})
write('settlement.verify', [
  ...Object.entries(settlements).map(([id, each]) => settled(id, each, true)),
  settled('replayed in another network', settlement(), false, { networkId: toHex(otherNetwork) }),
  settled('of another network', settlement({}, otherNetwork), false),
  settled('parties out of order, well signed', settlement({}, networkId, [b, a]), false),
  settled('not signed by its payer', { ...settlement(), signatureA: NO_SIGNATURE }, false),
  settled('not signed by its payee', { ...settlement(), signatureB: NO_SIGNATURE }, false),
  settled(
    'signatures exchanged',
    { ...settlement(), signatureA: settlement().signatureB, signatureB: settlement().signatureA },
    false,
  ),
  settled('one μNXS more', { ...settlement(), amountAToBMicro: 4_322n }, false),
  settled('the next debit', { ...settlement(), payerSeq: 2n }, false),
])

// Closes

function close(fields: Partial<CloseRecord> = {}, signer?: Identity, network = networkId): CloseRecord {
  const { channelId } = opening
  const closer = fields.closer ?? 'a'
  const draft = {
    channelId,
    keyA: a.publicKey,
    keyB: b.publicKey,
    base: state(0n, 0n),
    last: state(7n, 4_321n),
    epoch: 12n,
    ...fields,
    closer,
  }
  return { ...draft, signature: (signer ?? (closer === 'a' ? a : b)).sign(CLOSE_TAG, network, closeSignedBytes(draft)) }
}
const tailFields = (each: CloseRecord['base']) => ({
  balanceA: each.balanceAMicro.toString(),
  balanceB: each.balanceBMicro.toString(),
  sequence: each.sequence.toString(),
  signatureA: toHex(each.signatureA),
  signatureB: toHex(each.signatureB),
})
const closeBytes = encodeClose(close())
write('close.decode', [
  ...(['a', 'b'] as const).map((closer) => ({
    id: `by ${closer}`,
    in: { bytes: toHex(encodeClose(close({ closer }))) },
    out: {
      channelId: toHex(opening.channelId),
      ...keys,
      base: tailFields(state(0n, 0n)),
      last: tailFields(state(7n, 4_321n)),
      closer,
      epoch: '12',
      signature: toHex(close({ closer }).signature),
      hash: toHex(closeHash(crypto, close({ closer }))),
    },
  })),
  { id: 'cut', in: { bytes: toHex(closeBytes.subarray(0, 456)) }, error: 'channels/length' },
  {
    id: 'by a third party',
    in: { bytes: spoilt(closeBytes, (view) => view.setUint8(384, 2)) },
    error: 'channels/closer',
  },
  {
    id: 'last = base',
    in: { bytes: spoilt(closeBytes, (view) => view.setBigUint64(232 + 16, 0n, true)) },
    error: 'channels/sequence',
  },
  {
    id: 'money appears',
    in: { bytes: spoilt(closeBytes, (view) => view.setBigUint64(232, 5n, true)) },
    error: 'channels/balances',
  },
  {
    id: 'with itself',
    in: { bytes: spoilt(closeBytes, (_, bytes) => bytes.copyWithin(48, 16, 48)) },
    error: 'channels/parties',
  },
])
const closed = (id: string, each: CloseRecord, valid: boolean, given: object = {}): Case => ({
  id,
  in: { bytes: toHex(encodeClose(each)), ...network, ...given },
  out: { valid },
})
write('close.verify', [
  closed('by a', close(), true),
  closed('by b', close({ closer: 'b' }), true),
  closed('replayed in another network', close(), false, { networkId: toHex(otherNetwork) }),
  closed('signed by the other', close({}, b), false),
  closed('last not signed by b', close({ last: { ...state(7n, 4_321n), signatureB: NO_SIGNATURE } }), false),
  closed('base not signed by a', close({ base: { ...state(0n, 0n), signatureA: NO_SIGNATURE } }), false),
  closed('base of another network', close({ base: state(0n, 0n, otherNetwork) }), false),
])

// Messages

const hash = count(16, 0x50)
const signature = count(64, 0x80)
const messages: Record<string, ChannelMessage> = {
  open: { kind: 'open', nonce, signature },
  opened: { kind: 'opened', signature },
  reestablish: {
    kind: 'reestablish',
    channelId: opening.channelId,
    newestSequence: 7n,
    newestHash: hash,
    ownSequence: 8n,
    jump: 0n,
  },
  'reestablish after a start': {
    kind: 'reestablish',
    channelId: opening.channelId,
    newestSequence: 0n,
    newestHash: new Uint8Array(16),
    ownSequence: 0n,
    jump: 1n << 44n,
  },
  state: { kind: 'state', state: state(7n, 1_234n) },
  'claim by the sequencer': { kind: 'claim', sequence: 8n, body: count(87) },
  'claim by the other': { kind: 'claim', sequence: 0n, body: count(1) },
  'longest claim': { kind: 'claim', sequence: 9n, body: count(475) },
  update: { kind: 'update', sequence: 8n, balanceAMicro: opening.balanceAMicro - 10n, signature },
  accept: { kind: 'accept', sequence: 8n, signature },
  'refuse a claim': { kind: 'refuse', sequence: (1n << 63n) | 12_345n, code: 33 },
  'refuse a sequence': { kind: 'refuse', sequence: 8n, code: 2 },
  'settle-ask': { kind: 'settleAsk' },
  'settle-seq': { kind: 'settleSeq', finalSequence: 8n, payerSeq: 1n },
  'settle-sig': { kind: 'settleSig', hash, signature },
}
function messageFields(message: ChannelMessage): object {
  if (message.kind === 'state') return { kind: 'state', ...stateFields(message.state) }
  const fields = Object.entries(message).map(([name, value]) => {
    const plain = value instanceof Uint8Array ? toHex(value) : typeof value === 'bigint' ? value.toString() : value
    return [name.replace('Micro', ''), plain]
  })
  return Object.fromEntries(fields)
}
const bytesOf = (id: string) => encodeChannelMessage(messages[id]!)
write('channelMessage.decode', [
  ...Object.entries(messages).map(([id, message]) => ({
    id,
    in: { bytes: toHex(encodeChannelMessage(message)) },
    out: messageFields(message),
  })),
  { id: 'nothing', in: { bytes: '' }, error: 'channels/length' },
  { id: 'type 0', in: { bytes: '00' }, error: 'channels/message' },
  { id: 'type 12, which is the lottery’s', in: { bytes: '0c' }, error: 'channels/message' },
  { id: 'a cut open', in: { bytes: toHex(bytesOf('open').subarray(0, 80)) }, error: 'channels/length' },
  { id: 'an open with more', in: { bytes: `${toHex(bytesOf('open'))}00` }, error: 'channels/length' },
  {
    id: 'a claim of nothing',
    in: { bytes: toHex(bytesOf('claim by the other').subarray(0, 9)) },
    error: 'channels/length',
  },
  { id: 'a claim too long', in: { bytes: `${toHex(bytesOf('longest claim'))}00` }, error: 'channels/length' },
  ...[1n, (1n << 32n) - 1n, (1n << 44n) + 1n, (1n << 64n) - 1n].map((jump) => ({
    id: `a jump of ${jump}`,
    in: { bytes: spoilt(bytesOf('reestablish'), (view) => view.setBigUint64(49, jump, true)) },
    error: 'channels/jump',
  })),
  {
    id: 'a state with itself',
    in: { bytes: spoilt(bytesOf('state'), (_, bytes) => bytes.copyWithin(33, 17, 33)) },
    error: 'channels/parties',
  },
])
