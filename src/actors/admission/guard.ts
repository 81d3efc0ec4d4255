/**
 * Who is let in, and on which terms. A room beside the mesh may say so; while none does, and for those whom it knows
 * nothing of, the usual terms hold: they are let in, to any node, as fast as anyone.
 */
import { USUAL_TERMS } from '../../mesh/terms.js'
import type { IdentityId, Role, Terms, TermsOf } from '../ports.js'

export class Guard {
  #termsOf: TermsOf | null = null

  /** Asks `termsOf` from now on; returns what ends it. Throws when another one is asked already. */
  set(termsOf: TermsOf): () => void {
    if (this.#termsOf !== null)
      throw new Error('only one guard can be asked: wanted the other one to be ended first')
    this.#termsOf = termsOf
    return () => {
      if (this.#termsOf === termsOf) this.#termsOf = null
    }
  }

  /** Returns the terms that hold for an identity now. */
  of(id: IdentityId, role: Role): Terms {
    return this.#termsOf?.(id, role) ?? USUAL_TERMS
  }
}
