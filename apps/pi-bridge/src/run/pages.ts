import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PAGE_FOLDER } from '@nexus/dashboard'
import type { Node } from '@nexus/node'
import { type PageNode, PageServer } from '@nexus/node/page'
import { CommandFailure } from '../cli/failure.ts'
import type { Config } from '../config/schema.ts'
import type { Logger } from './log.ts'

/** What a node serves over HTTP on this machine: its page, and its metrics on a port that stays the same. */
export class Pages {
  readonly #config: Pick<Config, 'page' | 'metrics'>
  readonly #log: Logger
  readonly #shown: PageNode
  readonly #servers: PageServer[] = []

  constructor(config: Pick<Config, 'page' | 'metrics' | 'label' | 'segment'>, node: Node, log: Logger) {
    this.#config = config
    this.#log = log
    this.#shown = {
      name: config.label ?? node.nodeId.slice(0, 8),
      role: 'node',
      views: config.segment.enabled ? ['status', 'segment'] : ['status'],
      api: () => node.api,
    }
  }

  /** Whether the page could be served at all; to be asked before the node is up. @throws {CommandFailure} */
  static check({ page }: Pick<Config, 'page'>): void {
    if (page.enabled && !existsSync(join(PAGE_FOLDER, 'index.html'))) {
      throw new CommandFailure({
        exit: 'failed',
        code: 'page-missing',
        message: `the page is not built: ${PAGE_FOLDER} has no index.html`,
        next: 'build it with pnpm --filter @nexus/dashboard build:page, or leave --page out',
      })
    }
  }

  /** Starts what is enabled. Returns the page's address, token included. @throws {CommandFailure} */
  async start(): Promise<string | undefined> {
    const { page, metrics } = this.#config
    if (metrics.enabled) {
      const server = this.#serve(metrics, undefined)
      await server.start()
      if (metrics.port !== 0 && server.port !== metrics.port) {
        throw new CommandFailure({
          exit: 'failed',
          code: 'port-taken',
          message: `port ${metrics.port} for the metrics is taken`,
          next: 'set another metrics.port',
        })
      }
      const { host } = metrics
      this.#log.info(
        { event: 'metrics', url: `http://${host.includes(':') ? `[${host}]` : host}:${server.port}/metrics` },
        'Metrics are served.',
      )
    }
    if (!page.enabled) return undefined
    return this.#serve(page, PAGE_FOLDER).start()
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()))
  }

  #serve({ host, port }: { host: string; port: number }, assets: string | undefined): PageServer {
    const server = new PageServer({
      nodes: () => [this.#shown],
      token: randomBytes(16).toString('hex'),
      host,
      port,
      ...(assets === undefined ? {} : { assets }),
      about: { mode: 'node' },
    })
    this.#servers.push(server)
    return server
  }
}
