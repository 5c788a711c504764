import type { Cursor, ExportCursor } from '@nexus/vault'
import { ProblemError, problemOf } from './problem.ts'

/** A cursor as text: the log's size that the first page saw, and the index below which the next page begins. */
export function cursorText({ size, before }: Cursor): string {
  return `${size}-${before}`
}

/** @throws {ProblemError} 422 for one that no page has given */
export function cursorOf(text: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined
  const [size, before] = text.split('-').map(Number) as [number, number]
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(before) || before > size) {
    throw new ProblemError(problemOf(422, 'http/cursor', 'query.cursor: not one that a page gave'))
  }
  return { size, before }
}

export function exportCursorText({ part, before }: ExportCursor): string {
  return `${part}-${before}`
}

export function exportCursorOf(text: string | undefined): ExportCursor | undefined {
  if (text === undefined) return undefined
  const [part, before] = text.split('-') as [ExportCursor['part'], string]
  return { part, before: Number(before) }
}
