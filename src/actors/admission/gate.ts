/**
 * The gate that live sessions pass again and again: each goes on only on the terms that hold for it now.
 *
 *   terms changed, a route is wanted, a socket comes back ─→ ask the guard ─→ denied: told why, ended at once
 *                                                                        └─→ other terms: told to whoever acts by them
 */
import { isDeepStrictEqual } from 'node:util'
import { CLOSE } from '../../protocol/close-codes.js'
import type { Denial, Terms } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { Sessions } from '../session/sessions.js'
import type { Guard } from './guard.js'
import { answerTo, closeFor } from './refusals.js'

export interface GateOptions {
  readonly guard: Guard
  readonly sessions: Sessions
  /** Hears of every session that is ended here. */
  readonly count: (reason: string) => void
  /** The session goes on on other terms than before: its `terms` are the new ones already. */
  readonly changed: (cell: Cell, before: Terms) => void
}

export class Gate {
  readonly #options: GateOptions

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** Asks for the terms of a session anew. Returns why it is ended by that; null when it goes on. */
  look(cell: Cell): Denial | null {
    const terms = this.#options.guard.of(cell.identity.id, cell.role)
    if (terms.denial === null) this.admit(cell, terms)
    else this.#dismiss(cell, terms.denial)
    return terms.denial
  }

  /** Lets a session begin, or go on, on these terms. */
  admit(cell: Cell, terms: Terms): void {
    const before = cell.terms
    cell.terms = terms
    if (before !== terms && !isDeepStrictEqual(before, terms)) this.#options.changed(cell, before)
  }

  #dismiss(cell: Cell, denial: Denial): void {
    const close = closeFor(denial.code)
    this.#options.count(denial.code)
    cell.line?.tell({ type: 'refused', ...answerTo(denial) })
    this.#options.sessions.deliver(cell, { type: 'dismissed', close, reason: CLOSE[close].doc })
  }
}
