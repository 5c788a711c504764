import type { ChildProcess } from 'node:child_process'
import type { Api } from '@nexus/node/api'
import { type ControlClient, connectControl } from '@nexus/node/control'
import type { PageNode } from '@nexus/node/page'
import { forkSelf } from '../run/self.ts'
import type { ChildSettings, TrafficWish } from './child.ts'
import { DEMO_NODE } from './plan.ts'

const READY_MS_MAX = 60_000

/** A node of the demonstration as its supervisor sees it: on, off, or dead and to be said so. */
export class SupervisedNode implements PageNode {
  readonly name: string
  readonly role: string
  readonly #settings: ChildSettings
  readonly #log: (text: string) => void
  #child: ChildProcess | undefined
  #control: ControlClient | undefined
  #changing: Promise<void> = Promise.resolve()
  #traffic = true

  constructor(role: string, settings: ChildSettings, log: (text: string) => void) {
    this.name = settings.name
    this.role = role
    this.#settings = settings
    this.#log = log
  }

  get isOn(): boolean {
    return this.#child !== undefined
  }

  api(): Api | undefined {
    return this.#control
  }

  /** Switching on starts a process on the state of before; switching off pulls the plug: the process is killed. */
  setPower(on: boolean): Promise<void> {
    this.#changing = this.#changing.then(
      () => (on ? this.#start() : this.#kill('SIGKILL')),
      () => {},
    )
    return this.#changing
  }

  get hasTraffic(): boolean {
    return this.#traffic
  }

  /** Whether it keeps the mesh at work, now and after each start. */
  setTraffic(on: boolean): void {
    this.#traffic = on
    this.#child?.send({ traffic: on } satisfies TrafficWish)
  }

  /** An orderly end. */
  stop(): Promise<void> {
    this.#changing = this.#changing.then(() => this.#kill('SIGTERM')).catch(() => {})
    return this.#changing
  }

  async #start(): Promise<void> {
    if (this.#child !== undefined) return
    const child = forkSelf(DEMO_NODE, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#child = child
    child.once('exit', (code, signal) => this.#exited(child, code, signal))
    const ready = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.name} did not start within ${READY_MS_MAX / 1000} s`)),
        READY_MS_MAX,
      )
      child.once('message', () => {
        clearTimeout(timer)
        resolve()
      })
      child.once('exit', () => {
        clearTimeout(timer)
        reject(new Error(`${this.name} ended while it started`))
      })
    })
    child.send(this.#settings)
    await ready
    this.#control = await connectControl(this.#settings.socket)
    this.setTraffic(this.#traffic)
  }

  async #kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    this.#child = undefined
    child.kill(signal)
    const last = setTimeout(() => child.kill('SIGKILL'), 3_000)
    await gone
    clearTimeout(last)
  }

  #exited(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    this.#control?.close()
    this.#control = undefined
    if (this.#child !== child) return
    this.#child = undefined
    this.#log(`${this.name} ended by itself (${signal ?? code}); press its number to start it again`)
  }
}
