/** The journal without a disk, for tests: a killed process is one whose journal another one goes on from. */
import type { Change, Journal } from '../actors/ports.js'

export class MemoryJournal implements Journal {
  readonly #parts: Map<number, Change[]>
  readonly #firstPart: number
  #part: number

  /** `before` is the journal of the process that was killed; it must not be used any more. */
  constructor(before?: MemoryJournal) {
    this.#parts = before === undefined ? new Map() : before.#parts
    this.#firstPart = before === undefined ? 1 : before.#part + 1
    this.#part = this.#firstPart
    this.#parts.set(this.#part, [])
  }

  append(change: Change): void {
    this.#parts.get(this.#part)?.push(structuredClone(change))
  }

  replay(): readonly Change[] {
    return structuredClone(
      [...this.#parts].flatMap(([part, changes]) => (part < this.#firstPart ? changes : [])),
    )
  }

  rotate(): number {
    this.#parts.set(++this.#part, [])
    return this.#part
  }

  drop(mark: number): void {
    for (const part of this.#parts.keys()) if (part < mark) this.#parts.delete(part)
  }

  close(): void {}
}
