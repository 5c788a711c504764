/** Host and port of a socket. IPv6 hosts stand without brackets, link-local ones with their zone: `fe80::1%eth0`. */
export interface SocketAddress {
  readonly host: string
  readonly port: number
}

const MAPPED = '::ffff:'

/**
 * The one text of a socket address: `127.0.0.1:4242`, `[fe80::1%eth0]:4242`, `relay.example.org:4242`. An IPv4 address
 * as a dual-stack socket shows it (`::ffff:127.0.0.1`) is written as IPv4, so that it equals what an IPv4 socket shows.
 */
export function formatAddress(host: string, port: number): string {
  if (host.startsWith(MAPPED) && host.includes('.')) return `${host.slice(MAPPED.length)}:${port}`
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/**
 * Reads what {@link formatAddress} writes; IPv6 in any spelling becomes the compressed lower-case one.
 * @throws {TypeError} where the text is no socket address
 */
export function parseAddress(text: string): SocketAddress {
  const parts = /^(?:\[([0-9a-fA-F:.]+)(%[^\]\s]+)?\]|([^\s:[\]/?#@]+)):(\d{1,5})$/.exec(text)
  const port = Number(parts?.[4])
  if (parts === null || port > 65_535) throw new TypeError(`not a socket address: ${text}`)
  const [, v6, zone = '', name] = parts
  return { host: v6 === undefined ? (name as string).toLowerCase() : compressIpv6(v6, text) + zone, port }
}

/**
 * The remote network that limits count against: an IPv4 address whole, the upper 64 bits of an IPv6 one (a customer
 * usually has 2^64 addresses of his own), with the zone where it is link-local.
 */
export function networkOf(host: string): string {
  if (host.startsWith(MAPPED) && host.includes('.')) return host.slice(MAPPED.length)
  if (!host.includes(':')) return host
  const [address = '', zone = ''] = host.split('%')
  // Every host of a link shares fe80::/64: there the address itself is what tells hosts apart.
  if (zone !== '') return host
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const wanted = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  const all = [...groups, ...Array<string>(Math.max(0, wanted)).fill('0'), ...(tail ? tail.split(':') : [])]
  return `${all.slice(0, 4).join(':')}::/64`
}

function compressIpv6(host: string, text: string): string {
  if (host.toLowerCase().startsWith(MAPPED) && host.includes('.')) return host.slice(MAPPED.length)
  try {
    return new URL(`http://[${host}]`).hostname.slice(1, -1)
  } catch {
    throw new TypeError(`not a socket address: ${text}`)
  }
}
