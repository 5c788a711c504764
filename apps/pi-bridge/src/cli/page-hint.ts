import { hostname } from 'node:os'
import type { Colors } from './output.ts'

/** The page's address, and how to reach it from where the display is. */
export function pageHint(url: string, colors: Colors): string {
  const lines = [`page: ${colors.bold(url)}`]
  if (isRemote()) {
    const { port } = new URL(url)
    lines.push(
      `From your own machine: ssh -L ${port}:127.0.0.1:${port} ${userAtHost()}, then open the same address there.`,
    )
  }
  return lines.join('\n')
}

function isRemote(): boolean {
  if (process.env['SSH_CONNECTION'] !== undefined) return true
  return (
    process.platform === 'linux' && process.env['DISPLAY'] === undefined && process.env['WAYLAND_DISPLAY'] === undefined
  )
}

function userAtHost(): string {
  const user = process.env['USER'] ?? process.env['LOGNAME']
  return user === undefined ? hostname() : `${user}@${hostname()}`
}
