import manifest from '../../package.json' with { type: 'json' }

/** Of the commands, and of the node they run. */
export const VERSION: string = manifest.version
