import { join } from 'node:path'
import { openSqliteSentryStore } from '../src/sqlite.ts'
import { checkSentryStore } from '../src/testing.ts'
import { folder } from './kit.ts'

checkSentryStore('SQLite', async () => ({
  async create() {
    const path = join(folder(), 'sentry.db')
    return { store: openSqliteSentryStore({ path }), reopen: async () => openSqliteSentryStore({ path }) }
  },
}))
