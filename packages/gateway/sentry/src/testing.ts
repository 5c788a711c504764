/** The suite that every store of the sentry passes (docs/spec/sentry.md). */
export { checkSentryStore, type SentryStoreHost } from './testing/check-store.ts'
