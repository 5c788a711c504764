import { randomBytes } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs'
import { networkInterfaces, userInfo } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { GROUP } from '@nexus/transport-udp'
import { bytes } from '../cli/units.ts'
import { type Check, type Finding, failure, ok, skipped, warning } from './check.ts'

const NODE_MAJOR_MIN = 24
/** State, log and a restart's write-ahead log fit easily. */
const DISK_BYTES_LOW = 256 * 1_048_576
const DISK_BYTES_MIN = 16 * 1_048_576
const CLOCK_MS = 100
/** Before this no node of this version was built: the clock was never set. */
const CLOCK_MIN = Date.UTC(2026, 0, 1)

export const nodeVersion: Check = () => {
  const { node } = process.versions
  const major = Number(node.split('.')[0])
  return major >= NODE_MAJOR_MIN
    ? [ok('node', `Node ${node}`)]
    : [failure('node', `Node ${node}`, `install Node ${NODE_MAJOR_MIN} or newer`)]
}

export const clock: Check = async () => {
  const [wall, monotonic] = [Date.now(), performance.now()]
  await sleep(CLOCK_MS)
  const drift = Math.abs(Date.now() - wall - (performance.now() - monotonic))
  if (wall < CLOCK_MIN) {
    const found = `the clock says ${new Date(wall).toISOString()}`
    return [warning('clock', found, 'set it (timedatectl set-ntp true); the mesh runs without, logs are misleading')]
  }
  if (performance.now() - monotonic < CLOCK_MS - 2)
    return [failure('clock', 'the monotonic clock does not advance', 'restart the machine')]
  return drift > 20
    ? [
        warning(
          'clock',
          `the wall clock moved by ${Math.round(drift)} ms within ${CLOCK_MS} ms`,
          'see whether something keeps setting it',
        ),
      ]
    : [ok('clock', 'monotonic clock and wall clock advance alike')]
}

export const entropy: Check = () => {
  const drawn = randomBytes(32)
  if (new Set(drawn).size < 8)
    return [failure('entropy', 'the random source repeats itself', 'make no keys on this machine')]
  const path = '/proc/sys/kernel/random/entropy_avail'
  const bits = existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined
  if (bits !== undefined && bits < 128) {
    return [warning('entropy', `the kernel has ${bits} bits of entropy`, 'make keys later, or run rng-tools')]
  }
  return [ok('entropy', 'the random source answers')]
}

export const disk: Check = ({ loaded }) => {
  const path = loaded?.config.stateDir
  if (path === undefined || !existsSync(path)) return [skipped('disk', 'there is no state folder yet')]
  const { bavail, bsize } = statfsSync(path)
  const free = bavail * bsize
  const found = `${bytes(free)} free at ${path}`
  if (free < DISK_BYTES_MIN) return [failure('disk', found, 'make room: the node cannot store messages')]
  if (free < DISK_BYTES_LOW) return [warning('disk', found, 'make room soon')]
  return [ok('disk', found)]
}

export const multicast: Check = ({ loaded, status }) => {
  const discovers = loaded?.config.interfaces.some((each) => each.type === 'udp' && each.multicast)
  if (!discovers) return [skipped('multicast', 'no interface looks for neighbours by multicast')]
  const linkLocal = Object.entries(networkInterfaces()).filter(([, addresses]) =>
    addresses?.some(({ family, address, internal }) => family === 'IPv6' && !internal && address.startsWith('fe80')),
  )
  if (linkLocal.length === 0) {
    const found = 'no network interface has an IPv6 link-local address'
    return [
      warning(
        'multicast',
        found,
        'turn IPv6 on to find neighbours by itself, or name them as peers of the UDP interface',
      ),
    ]
  }
  const names = linkLocal.map(([name]) => name).join(', ')
  const joined = joinedOn()
  if (status === undefined || joined === undefined) return [ok('multicast', `IPv6 link-local on ${names}`)]
  const missing = linkLocal.map(([name]) => name).filter((name) => !joined.has(name))
  return missing.length === 0
    ? [ok('multicast', `the discovery group is joined on ${names}`)]
    : [
        warning(
          'multicast',
          `the discovery group is not joined on ${missing.join(', ')}`,
          'see the log for why; interfaces set with multicastInterfaces are enough',
        ),
      ]
}

/** Names of the interfaces where this machine is in the discovery group, as Linux lists them. */
function joinedOn(): Set<string> | undefined {
  const path = '/proc/net/igmp6'
  if (!existsSync(path)) return undefined
  const group = hexOf(GROUP)
  const rows = readFileSync(path, 'utf8').trim().split('\n')
  return new Set(
    rows
      .map((row) => row.trim().split(/\s+/))
      .flatMap(([, name, address]) => (address === group && name !== undefined ? [name] : [])),
  )
}

/** An IPv6 address as 32 hexadecimal digits. */
export function hexOf(address: string): string {
  const [head = '', tail = ''] = address.split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0')
  return [...groups(head), ...zeros, ...groups(tail)].map((part) => part.padStart(4, '0')).join('')
}

export const serialPorts: Check = ({ loaded }) => {
  const ports = (loaded?.config.interfaces ?? []).flatMap((each) =>
    each.type === 'serial-kiss' || each.type === 'rnode' ? [each.path] : [],
  )
  if (ports.length === 0) return [skipped('serial', 'no serial port is configured')]
  return ports.map(serialPort)
}

function serialPort(path: string): Finding {
  if (process.platform === 'win32') return skipped('serial', `${path} is not looked at on Windows`)
  if (!existsSync(path))
    return failure(
      'serial',
      `${path} does not exist`,
      'plug the device in; ls -l /dev/serial/by-id shows what there is',
    )
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return ok('serial', `${path} may be read and written`)
  } catch {
    const next = `sudo usermod -aG dialout ${userInfo().username}, then log in anew; under systemd: SupplementaryGroups=dialout`
    return failure('serial', `${path} may not be opened`, next)
  }
}
