import type { PageServer } from '@nexus/node/page'

/** Tells where a demonstration's page is. `wanted`: the port that was asked for, 0 for any. */
export function tellAddress(say: (text: string) => void, what: string, page: PageServer, wanted: number): void {
  const { url, port } = page
  if (wanted !== 0 && port !== wanted) say(`Port ${wanted} is taken, so the page is on ${port}.`)
  say('')
  say(`  ${what} Open  ${url}`)
  if (process.env['SSH_CONNECTION'] !== undefined) {
    say(`  From your own machine:  ssh -L ${port}:127.0.0.1:${port} <this host>, then open the same address there.`)
  }
}
