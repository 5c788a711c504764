/** Resolves once `holds` does. @throws {Error} after `limitMs` */
export async function until(holds: () => boolean, limitMs = 15_000): Promise<void> {
  const end = Date.now() + limitMs
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within ${limitMs} ms: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
