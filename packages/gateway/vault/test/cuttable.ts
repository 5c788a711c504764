import { connect, createServer, type Socket } from 'node:net'

/** A way to a server on loopback that can fall silent: connections stay, and nothing comes through any more. */
export interface Cuttable {
  readonly port: number
  /** Silence from the next time that a client sends `words`; these still arrive, what the server says does not. */
  cutAfter(words: string): void
  heal(): void
  close(): Promise<void>
}

export async function cuttable(toPort: number): Promise<Cuttable> {
  const sockets = new Set<Socket>()
  let words: string | undefined
  let silent = false
  const server = createServer((client) => {
    const target = connect(toPort, '127.0.0.1')
    for (const socket of [client, target]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    let cut = silent
    client.on('data', (bytes) => {
      if (cut) return
      target.write(bytes)
      cut = silent ||= words !== undefined && bytes.includes(words)
    })
    target.on('data', (bytes) => {
      cut ||= silent
      if (!cut) client.write(bytes)
    })
    // A cut network tells neither side that the other is gone.
    client.on('end', () => cut || target.end())
    target.on('end', () => cut || client.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    cutAfter(next) {
      words = next
    },
    heal() {
      words = undefined
      silent = false
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
