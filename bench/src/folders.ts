import { fileURLToPath } from 'node:url'

/** What may be thrown away and is made again: Reticulum, built programs, compiled code. */
export const CACHE: string = fileURLToPath(new URL('../node_modules/.cache/', import.meta.url))
