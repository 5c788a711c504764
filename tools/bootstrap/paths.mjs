import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** This folder. */
export const bootstrapFolder = dirname(fileURLToPath(import.meta.url))

/** The repository. */
export const rootFolder = join(bootstrapFolder, '..', '..')
