import manifest from '../package.json' with { type: 'json' }

/** Of the gateway and its commands. */
export const VERSION: string = manifest.version
