import { TransportError, type TransportErrorDetail } from './errors.ts'
import type { Interface, TransportHost } from './interface.ts'
import { PROBLEMS_PER_SECOND } from './limits.ts'

/**
 * The way from a transport to its host, which keeps the promises of {@link TransportHost}: nothing passes after
 * `shut`, `down` follows each `up` once, and problems come neither from inside `send` nor faster than
 * {@link PROBLEMS_PER_SECOND}, however fast a hostile peer causes them.
 */
export class HostGate {
  readonly #host: TransportHost
  readonly #name: string
  readonly #nowMs: () => number
  readonly #up = new Set<Interface>()
  #open = true
  #secondStartMs = Number.NEGATIVE_INFINITY
  #told = 0
  #untold = 0

  /** @param nowMs the clock that the rate of problems is measured by; default: the machine's */
  constructor(name: string, host: TransportHost, nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
    this.#name = name
    this.#host = host
  }

  get open(): boolean {
    return this.#open
  }

  isUp(iface: Interface): boolean {
    return this.#up.has(iface)
  }

  up(iface: Interface): void {
    if (!this.#open) return
    this.#up.add(iface)
    this.#host.up(iface)
  }

  down(iface: Interface, reason: string): void {
    if (this.#up.delete(iface) && this.#open) this.#host.down(iface, reason)
  }

  frame(iface: Interface, frame: Uint8Array, from?: string): void {
    if (this.#open && this.#up.has(iface)) this.#host.frame(iface, frame, from)
  }

  drain(iface: Interface): void {
    if (this.#open && this.#up.has(iface)) this.#host.drain?.(iface)
  }

  lost(iface: Interface): void {
    if (this.#open && this.#up.has(iface)) this.#host.lost?.(iface)
  }

  reachChanged(iface: Interface): void {
    if (this.#open && this.#up.has(iface)) this.#host.reachChanged?.(iface)
  }

  /** Takes the facts, not the error: one that will not be told must not cost a stack trace. */
  problem(detail: TransportErrorDetail): void {
    if (!this.#open || this.#host.problem === undefined) return
    const nowMs = this.#nowMs()
    if (nowMs - this.#secondStartMs >= 1_000) {
      const untold = this.#untold
      this.#secondStartMs = nowMs
      this.#told = 0
      this.#untold = 0
      if (untold > 0) {
        this.#tell({ code: 'transport/limit', interfaceId: this.#name, why: `${untold} more problems` })
      }
    }
    if (this.#told >= PROBLEMS_PER_SECOND) this.#untold++
    else this.#tell(detail)
  }

  /** The transport has stopped: whatever still fires in it stays there. */
  shut(): void {
    this.#open = false
    this.#up.clear()
  }

  #tell(detail: TransportErrorDetail): void {
    this.#told++
    const error = new TransportError(detail)
    queueMicrotask(() => {
      if (this.#open) this.#host.problem?.(error)
    })
  }
}
