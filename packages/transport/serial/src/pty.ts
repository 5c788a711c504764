import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'

/** A pseudo-terminal: a real device for one side, a stream of bytes for the other. */
export interface Pty {
  /** The device, `/dev/pts/3`. */
  readonly path: string
  /** Writes to whoever has the device open. */
  write(bytes: Uint8Array): void
  /** What is written to the device. The bytes are valid during the call. */
  onData: (bytes: Uint8Array) => void
  /** Somebody opened the device, or nobody has it open any more. */
  onOpen: (open: boolean) => void
  /** The device goes away, as when its plug is pulled. */
  unplug(): Promise<void>
}

/**
 * Node has no way to make a pseudo-terminal, Python's standard library has. The process ends with its standard input.
 * Its standard error says the path, then "opened" and "closed" as users of the device come and go.
 */
const HELPER = `
import ctypes, os, select, sys, tty
master, slave = os.openpty()
tty.setraw(slave)
path = os.ttyname(slave)
os.close(slave)
os.set_blocking(master, False)
libc = ctypes.CDLL(None)
watch = libc.inotify_init1(os.O_NONBLOCK)
IN_OPEN = 0x20
if watch < 0 or libc.inotify_add_watch(watch, path.encode(), IN_OPEN) < 0:
    sys.exit("no inotify")
def say(what):
    sys.stderr.write(what + "\\n")
    sys.stderr.flush()
say(path)
is_open = False
waiting = b""
while True:
    # A master without a slave is always ready to say so: it is only looked at while somebody has the device open.
    poll = select.poll()
    poll.register(watch, select.POLLIN)
    if is_open:
        poll.register(master, select.POLLIN | (select.POLLOUT if waiting else 0))
    if len(waiting) < 65536:
        poll.register(0, select.POLLIN)
    events = dict(poll.poll())
    at_master = events.get(master, 0)
    if events.get(watch, 0):
        os.read(watch, 4096)
        if not is_open:
            is_open = True
            say("opened")
    if at_master & select.POLLIN:
        try:
            os.write(1, os.read(master, 65536))
        except OSError:
            pass
    elif at_master & select.POLLHUP:
        is_open = False
        waiting = b""
        say("closed")
    if events.get(0, 0):
        read = os.read(0, 65536)
        if not read:
            break
        if is_open:
            waiting += read
    if waiting and at_master & select.POLLOUT:
        try:
            waiting = waiting[os.write(master, waiting):]
        except BlockingIOError:
            pass
`

/** The system's own starts faster than what version managers put into the path. */
const SYSTEM_PYTHON = '/usr/bin/python3'

/** Makes a pseudo-terminal; needs `python3`. Rejects where that is absent. */
export async function openPty(): Promise<Pty> {
  const child = spawn(existsSync(SYSTEM_PYTHON) ? SYSTEM_PYTHON : 'python3', ['-c', HELPER])
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const lines = statusLines(child)
  const path = await Promise.race([
    lines.first,
    new Promise<never>((_, reject) => child.once('error', (error) => reject(new Error(`python3: ${error.message}`)))),
    ended.then(() => Promise.reject(new Error('python3 could not make a pseudo-terminal'))),
  ])
  const pty: Pty = {
    path,
    write: (bytes) => {
      if (child.stdin.writable) child.stdin.write(bytes)
    },
    onData: () => {},
    onOpen: () => {},
    unplug: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
  child.stdin.on('error', () => {})
  child.stdout.on('data', (chunk: Buffer) => pty.onData(chunk))
  lines.onLine = (line) => pty.onOpen(line === 'opened')
  return pty
}

function statusLines(child: ChildProcessWithoutNullStreams): {
  first: Promise<string>
  onLine: (line: string) => void
} {
  let rest = ''
  let resolveFirst: ((line: string) => void) | undefined
  const first = new Promise<string>((resolve) => {
    resolveFirst = resolve
  })
  const lines = { first, onLine: (_: string) => {} }
  child.stderr.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString('utf8')).split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) {
      if (resolveFirst === undefined) lines.onLine(line)
      else resolveFirst(line)
      resolveFirst = undefined
    }
  })
  return lines
}

/** A serial cable between two devices: when one end is hung up, so is the other. */
export async function openCable(): Promise<{ readonly a: Pty; readonly b: Pty }> {
  const [a, b] = await Promise.all([openPty(), openPty()])
  for (const [near, far] of [
    [a, b],
    [b, a],
  ] as const) {
    near.onData = (bytes) => far.write(bytes)
    near.onOpen = (open) => {
      if (!open) void far.unplug()
    }
  }
  return { a, b }
}
