/** Hands on the terminal's keys until `signal` aborts or q is pressed; without a terminal it only waits. */
export async function serveKeys(
  help: string,
  press: (key: string) => Promise<void>,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return
  let end = (): void => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  signal.addEventListener('abort', end, { once: true })
  const { stdin } = process
  if (!stdin.isTTY) {
    await ended
    return
  }
  say(`Keys: ${help} · q quit`)
  stdin.setRawMode(true)
  stdin.resume()
  stdin.setEncoding('utf8')
  const take = (key: string): void => {
    if (key === 'q' || key === '\u0003' || key === '\u0004') end()
    else void press(key).catch((error: unknown) => say(error instanceof Error ? error.message : String(error)))
  }
  stdin.on('data', take)
  try {
    await ended
  } finally {
    stdin.off('data', take)
    stdin.setRawMode(false)
    stdin.pause()
  }
}
