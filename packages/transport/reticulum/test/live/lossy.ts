import { createSocket } from 'node:dgram'

/** Passes datagrams on to one port, one way, and loses a share of them. */
export interface LossyWay {
  readonly address: string
  readonly lost: number
  stop(): Promise<void>
}

/**
 * Reticulum sends each datagram from a new port, so that a proxy with a socket for each source would soon be full: here
 * all go out of one, and answers have a way of their own. What is lost follows from `seed`.
 */
export async function lossyWay(targetPort: number, lossRatio: number, seed: number): Promise<LossyWay> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  let lost = 0
  let state = seed
  socket.on('message', (bytes) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    if (state / 2 ** 32 < lossRatio) lost++
    else socket.send(bytes, targetPort, '127.0.0.1')
  })
  return {
    address: `127.0.0.1:${socket.address().port}`,
    get lost() {
      return lost
    },
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}
