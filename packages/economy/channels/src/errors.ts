/** What is wrong with a document or message of a channel. Facts only. */
export type ChannelErrorDetail =
  | { readonly code: 'channels/length'; readonly wantBytes: number; readonly gotBytes: number }
  | { readonly code: 'channels/parties' }
  | { readonly code: 'channels/balances'; readonly sumMicro: bigint }
  | { readonly code: 'channels/sequence'; readonly sequence: bigint }
  | { readonly code: 'channels/amount'; readonly amountMicro: bigint }
  | { readonly code: 'channels/payer-seq'; readonly payerSeq: bigint }
  | { readonly code: 'channels/closer'; readonly closer: number }
  | { readonly code: 'channels/message'; readonly type: number }
  | { readonly code: 'channels/jump'; readonly jump: bigint }
  | { readonly code: 'channels/record' }

/** Bytes that must not be acted on. */
export class ChannelError extends Error {
  override readonly name = 'ChannelError'
  readonly detail: ChannelErrorDetail
  constructor(detail: ChannelErrorDetail) {
    super(explain(detail))
    this.detail = detail
  }
}

function explain(detail: ChannelErrorDetail): string {
  switch (detail.code) {
    case 'channels/length':
      return `wanted ${detail.wantBytes} bytes, got ${detail.gotBytes}`
    case 'channels/parties':
      return 'the parties are not two in ascending order'
    case 'channels/balances':
      return `balances of ${detail.sumMicro} in sum are not below 2^63, or not the same in both states`
    case 'channels/sequence':
      return `sequence ${detail.sequence} is out of order or range`
    case 'channels/amount':
      return `no settlement moves ${detail.amountMicro} μNXS`
    case 'channels/payer-seq':
      return `no debit has the number ${detail.payerSeq}`
    case 'channels/closer':
      return `a close is by party 0 or 1, not ${detail.closer}`
    case 'channels/message':
      return `${detail.type} is no channel message`
    case 'channels/jump':
      return `a jump is 0 or from 2^32 to 2^44, not ${detail.jump}`
    case 'channels/record':
      return 'the stored record cannot be read'
  }
}
