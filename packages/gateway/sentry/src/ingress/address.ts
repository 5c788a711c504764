import ipaddr from 'ipaddr.js'
import { malformed } from '../request.ts'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** Addresses that are trusted for what they say of others. */
export type TrustedAddresses = (address: string) => boolean

/** @throws {TypeError} for a range that is none, such as `10.0.0.0/33` */
export function trustedAddresses(ranges: readonly string[]): TrustedAddresses {
  const parsed = ranges.map((range): [Address, number] => {
    try {
      if (range.includes('/')) return ipaddr.parseCIDR(range)
      const address = ipaddr.process(range)
      return [address, address.kind() === 'ipv4' ? 32 : 128]
    } catch (cause) {
      throw new TypeError(`${range} is no address or range of addresses`, { cause })
    }
  })
  return (text) => {
    const address = parse(text)
    return parsed.some(([base, bits]) => address.kind() === base.kind() && address.match(base as never, bits))
  }
}

/** An address in its one form. @throws {SentryError} `sentry/malformed` */
export function canonicalAddress(text: string): string {
  return parse(text).toString()
}

/** What a rate is kept by: an IPv4 address, or the /64 that one customer of an IPv6 network has. */
export function rateName(canonical: string): string {
  const address = parse(canonical)
  if (address.kind() === 'ipv4') return canonical
  return `${(address as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}

function parse(text: string): Address {
  // A zone names an interface of the machine that wrote it, and nothing here.
  if (text.includes('%') || !ipaddr.isValid(text) || !/^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$|:/.test(text)) {
    throw malformed('an address')
  }
  return ipaddr.process(text)
}
