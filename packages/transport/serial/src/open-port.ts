import { execFile } from 'node:child_process'
import { close, constants, open } from 'node:fs'
import { ReadStream } from 'node:tty'
import { promisify } from 'node:util'
import type { OpenSerialPort, SerialPort, SerialPortEvents } from './port.ts'

/** How long a closing port may take to hand its last bytes to the system. */
const LINGER_MS = 250

/** Opens by the `serialport` package where it is installed, else, on Linux, by {@link openTty}. */
export const openSerialPort: OpenSerialPort = async (path, baudRate, events) => {
  const module = await loadSerialport()
  if (module !== undefined) return openWith(module, path, baudRate, events)
  if (process.platform === 'linux') return openTty(path, baudRate, events)
  throw new Error('on this system serial ports need the package "serialport"')
}

type SerialportModule = typeof import('serialport')

async function loadSerialport(): Promise<SerialportModule | undefined> {
  try {
    return await import('serialport')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}

function openWith(
  { SerialPort: Port }: SerialportModule,
  path: string,
  baudRate: number,
  events: SerialPortEvents,
): Promise<SerialPort> {
  return new Promise((resolve, reject) => {
    const port = new Port({ path, baudRate, lock: true }, (error) => {
      if (error) reject(error)
      else resolve(adapt(port, events, () => port.close(() => {})))
    })
  })
}

/** What a serialport and a tty stream have in common. */
interface PortStream {
  readonly writableLength: number
  write(bytes: Uint8Array, done: () => void): boolean
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'close' | 'end', listener: (error?: Error | null) => void): unknown
}

function adapt(stream: PortStream, events: SerialPortEvents, shut: () => void): SerialPort {
  let why = 'the device is gone'
  let open = true
  let finished: () => void = () => {}
  const closed = new Promise<void>((resolve) => {
    finished = resolve
  })
  stream.on('data', (chunk) => {
    if (open) events.data(chunk)
  })
  stream.on('error', (error) => {
    why = error.message
    shut()
  })
  stream.on('end', shut)
  stream.on('close', (error) => {
    finished()
    if (!open) return
    open = false
    events.closed(error instanceof Error ? error.message : why)
  })
  return {
    get queuedBytes() {
      return stream.writableLength
    },
    write: (bytes) => {
      if (open)
        stream.write(bytes, () => {
          if (open) events.written()
        })
    },
    close: async () => {
      open = false
      const deadlineMs = performance.now() + LINGER_MS
      while (stream.writableLength > 0 && performance.now() < deadlineMs) {
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      shut()
      await closed
    },
  }
}

/**
 * Opens a Linux terminal device without native code: `stty` of coreutils sets the rate and raw mode, and the event loop
 * reads and writes the device. Rates are those that stty knows.
 */
export const openTty: OpenSerialPort = async (path, baudRate, events) => {
  const fd = await promisify(open)(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  try {
    const settings = ['raw', '-echo', '-crtscts', 'clocal', 'cs8', '-cstopb', '-parenb', `${baudRate}`]
    await promisify(execFile)('stty', ['-F', path, ...settings])
    const stream = new ReadStream(fd)
    stream.setRawMode(true)
    // The event loop opens the device anew where it can, and leaves the first descriptor to us.
    const own = (stream as { readonly _handle?: { readonly fd?: number } })._handle?.fd
    if (own !== undefined && own !== fd) close(fd, () => {})
    return adapt(stream, events, () => void stream.destroy())
  } catch (error) {
    close(fd, () => {})
    throw error
  }
}
