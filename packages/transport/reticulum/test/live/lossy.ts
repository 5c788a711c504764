import { createSocket } from 'node:dgram'

/** Passes datagrams on to one port, one way, and loses or delays a share of them. */
export interface LossyWay {
  readonly address: string
  readonly lost: number
  readonly reordered: number
  stop(): Promise<void>
}

/** How a way treats datagrams, each decided by itself. */
export interface LossyOptions {
  readonly lossRatio: number
  /** Share of datagrams that come up to {@link LATE_MS_MAX} later, behind others. */
  readonly reorderRatio?: number
  readonly seed: number
}

const LATE_MS_MAX = 40

/**
 * Reticulum sends each datagram from a new port, so that a proxy with a socket for each source would soon be full: here
 * all go out of one, and answers have a way of their own. What is lost, and what comes late, follows from `seed`.
 */
export async function lossyWay(targetPort: number, options: LossyOptions): Promise<LossyWay> {
  const { lossRatio, reorderRatio = 0, seed } = options
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const late = new Set<NodeJS.Timeout>()
  let lost = 0
  let reordered = 0
  let state = seed
  const chance = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  socket.on('message', (bytes) => {
    if (chance() < lossRatio) {
      lost++
    } else if (chance() < reorderRatio) {
      reordered++
      const timer = setTimeout(() => {
        late.delete(timer)
        socket.send(bytes, targetPort, '127.0.0.1')
      }, LATE_MS_MAX * chance())
      late.add(timer)
    } else socket.send(bytes, targetPort, '127.0.0.1')
  })
  return {
    address: `127.0.0.1:${socket.address().port}`,
    get lost() {
      return lost
    },
    get reordered() {
      return reordered
    },
    async stop() {
      for (const timer of late) clearTimeout(timer)
      await new Promise<void>((resolve) => socket.close(() => resolve()))
    },
  }
}

/** A UDP port that was free a moment ago. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(resolve))
  return port
}
