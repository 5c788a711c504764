import { createSocket, type Socket, type SocketType } from 'node:dgram'
import { formatAddress, TransportError } from '@nexus/transport'
import { RECEIVE_BUFFER_BYTES } from './limits.ts'
import type { AddressFamily } from './peers.ts'

export interface OpenSocket {
  readonly socket: Socket
  /** What it can send to. */
  readonly family: AddressFamily
}

/**
 * Opens the transport's socket: on the address given, else on all of IPv6 and IPv4, else, on a machine without IPv6, on
 * IPv4 alone.
 *
 * @throws {TransportError} `transport/bind`
 */
export async function openSocket(
  host: string | undefined,
  port: number,
  sendBufferSize: number | undefined,
): Promise<OpenSocket> {
  const hosts = host === undefined ? ['::', '0.0.0.0'] : [host]
  let failure: NodeJS.ErrnoException | undefined
  for (const address of hosts) {
    const family = address === '::' ? 0 : address.includes(':') ? 6 : 4
    try {
      return { socket: await bind(family === 4 ? 'udp4' : 'udp6', address, port, sendBufferSize), family }
    } catch (error) {
      failure = error as NodeJS.ErrnoException
      if (failure.code !== 'EAFNOSUPPORT' && failure.code !== 'EADDRNOTAVAIL') break
    }
  }
  throw new TransportError({
    code: 'transport/bind',
    address: formatAddress(host ?? '::', port),
    why: failure?.code ?? 'no address to listen on',
  })
}

async function bind(
  type: SocketType,
  address: string,
  port: number,
  sendBufferSize: number | undefined,
): Promise<Socket> {
  const buffers = { recvBufferSize: RECEIVE_BUFFER_BYTES, ...(sendBufferSize === undefined ? {} : { sendBufferSize }) }
  const socket = createSocket({ type, ...buffers, lookup: asIs(type) })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind({ address, port }, () => {
        socket.removeListener('error', reject)
        resolve()
      })
    })
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}

/**
 * A look-up for addresses that are numbers already, without the turn of the event loop that Node's own takes for each
 * datagram. An IPv6 socket reaches IPv4 by mapped addresses.
 */
function asIs(type: SocketType) {
  return (host: string, _options: unknown, done: (error: null, address: string, family: number) => void): void => {
    if (type === 'udp6') done(null, host.includes(':') ? host : `::ffff:${host}`, 6)
    else done(null, host, 4)
  }
}
