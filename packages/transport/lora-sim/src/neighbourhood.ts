import { POSITION_METERS_MAX } from './limits.ts'
import { type LogDistance, type NamedRandom, pathLossDb, rangeMeters } from './propagation.ts'
import type { Neighbour, Position, Radio } from './radio.ts'

const CELL_METERS_MIN = 100
const CELLS_PER_ROW = 2 ** 22
const SHADOWING_STREAM = 0

/**
 * Who hears whom. Radios stand in a grid whose cells are as wide as the farthest signal goes, so the neighbours of a
 * radio are in its cell and the eight around; the list of each is kept until it, or one that it may hear, changes.
 */
export class Neighbourhood {
  readonly #model: LogDistance
  readonly #random: NamedRandom
  /** A signal this far below the receiver's sensitivity can't spoil one that it hears. */
  readonly #marginDb: number
  readonly #cells = new Map<number, Set<Radio>>()
  #cellMeters = CELL_METERS_MIN
  #powerMaxDbm = Number.NEGATIVE_INFINITY
  #sensitivityMinDbm = Number.POSITIVE_INFINITY

  constructor(model: LogDistance, random: NamedRandom, marginDb: number) {
    this.#model = model
    this.#random = random
    this.#marginDb = marginDb
  }

  /** Enters a radio, or enters it again after its settings changed. */
  place(radio: Radio, all: Iterable<Radio>): void {
    this.lift(radio)
    const { position, txPowerDbm } = radio.settings
    if (position !== undefined) checkPosition(position)
    if (txPowerDbm > this.#powerMaxDbm || radio.sensitivityDbm < this.#sensitivityMinDbm) {
      this.#powerMaxDbm = Math.max(this.#powerMaxDbm, txPowerDbm)
      this.#sensitivityMinDbm = Math.min(this.#sensitivityMinDbm, radio.sensitivityDbm)
      this.#fit(all)
    }
    if (position === undefined) return
    radio.cell = this.#cellAt(position)
    const cell = this.#cells.get(radio.cell)
    if (cell === undefined) this.#cells.set(radio.cell, new Set([radio]))
    else cell.add(radio)
    this.#forgetAround(radio)
  }

  /** Takes a radio off the map. */
  lift(radio: Radio): void {
    radio.neighbours = undefined
    for (const source of radio.lossSources) source.neighbours = undefined
    if (radio.cell === undefined) return
    this.#forgetAround(radio)
    const cell = this.#cells.get(radio.cell)!
    cell.delete(radio)
    if (cell.size === 0) this.#cells.delete(radio.cell)
    radio.cell = undefined
  }

  /** Radios that a transmission of `radio` matters to, with the power that arrives. */
  of(radio: Radio): readonly Neighbour[] {
    if (radio.neighbours !== undefined) return radio.neighbours
    const found: Neighbour[] = []
    const consider = (other: Radio): void => {
      const powerDbm = radio.settings.txPowerDbm - this.lossDb(radio, other)
      if (powerDbm >= other.sensitivityDbm - this.#marginDb) found.push({ radio: other, powerDbm })
    }
    if (radio.cell !== undefined) {
      for (const other of this.#around(radio.cell)) {
        if (other !== radio && !radio.losses.has(other)) consider(other)
      }
    }
    for (const other of radio.losses.keys()) consider(other)
    // In order of id, so that a run does not hang on the order in which radios moved.
    found.sort((a, b) => a.radio.id - b.radio.id)
    radio.neighbours = found
    return found
  }

  lossDb(from: Radio, to: Radio): number {
    const explicit = from.losses.get(to)
    if (explicit !== undefined) return explicit
    const a = from.settings.position
    const b = to.settings.position
    if (a === undefined || b === undefined) return Number.POSITIVE_INFINITY
    const meters = Math.hypot(a.xMeters - b.xMeters, a.yMeters - b.yMeters)
    const low = Math.min(from.id, to.id)
    return pathLossDb(this.#model, meters, this.#random.normal(low, from.id + to.id - low, SHADOWING_STREAM))
  }

  /** Widens the cells to the reach of the strongest radio at the best receiver, and enters all anew. */
  #fit(all: Iterable<Radio>): void {
    const budgetDb = this.#powerMaxDbm - this.#sensitivityMinDbm + this.#marginDb
    const meters = Math.min(Math.max(rangeMeters(this.#model, budgetDb), CELL_METERS_MIN), POSITION_METERS_MAX)
    this.#cells.clear()
    this.#cellMeters = meters
    for (const radio of all) {
      radio.neighbours = undefined
      if (radio.cell === undefined) continue
      radio.cell = this.#cellAt(radio.settings.position!)
      const cell = this.#cells.get(radio.cell)
      if (cell === undefined) this.#cells.set(radio.cell, new Set([radio]))
      else cell.add(radio)
    }
  }

  #forgetAround(radio: Radio): void {
    for (const other of this.#around(radio.cell!)) other.neighbours = undefined
  }

  *#around(cell: number): Generator<Radio> {
    for (let row = -1; row <= 1; row++) {
      for (let column = -1; column <= 1; column++) {
        yield* this.#cells.get(cell + row * CELLS_PER_ROW + column) ?? []
      }
    }
  }

  #cellAt({ xMeters, yMeters }: Position): number {
    const half = CELLS_PER_ROW / 2
    return (
      (Math.floor(yMeters / this.#cellMeters) + half) * CELLS_PER_ROW + Math.floor(xMeters / this.#cellMeters) + half
    )
  }
}

export function checkPosition({ xMeters, yMeters }: Position): void {
  if (!(Math.abs(xMeters) <= POSITION_METERS_MAX && Math.abs(yMeters) <= POSITION_METERS_MAX)) {
    throw new RangeError(`position ${xMeters}, ${yMeters} is off the map`)
  }
}
