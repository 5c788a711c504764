import type { SentryErrorDetail } from '../errors.ts'
import type { SqliteWriter } from './writer.ts'

/** What the thread that writes is started with. */
export interface WriterData {
  readonly path: string
}

export type WriterMethod = {
  [Name in keyof SqliteWriter]: SqliteWriter[Name] extends (...args: never) => unknown ? Name : never
}[keyof SqliteWriter]

/** A call for the thread, answered under its number. */
export interface WriterCall {
  readonly no: number
  readonly method: WriterMethod
  readonly args: readonly unknown[]
}

export type WriterAnswer =
  | { readonly no: number; readonly result: unknown }
  | { readonly no: number; readonly refused: SentryErrorDetail }
