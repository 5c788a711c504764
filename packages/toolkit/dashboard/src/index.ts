/** The live page of a node, built as static files: `PAGE_FOLDER` is what a page server serves. */
import { fileURLToPath } from 'node:url'

/** Folder of the built page: index.html and what it loads. */
export const PAGE_FOLDER: string = fileURLToPath(new URL('../dist/page/', import.meta.url))
