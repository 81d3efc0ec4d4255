/**
 * An actor as lists show it. Of a long list most rows are only passed over: each field is made when it is read, and a row
 * that is shown is settled.
 */
import type { ActorKind, ActorRow } from '../ports.js'

/** How the fields of a row follow from an actor. */
export interface RowOf<One> {
  readonly kind: ActorKind
  readonly id: (one: One) => ActorRow['id']
  readonly state: (one: One) => ActorRow['state']
  readonly parent: (one: One) => ActorRow['parent']
  readonly country: (one: One) => ActorRow['country']
  readonly about: (one: One) => ActorRow['about']
  readonly reason: (one: One) => ActorRow['reason']
}

export class LateRow<One> implements ActorRow {
  readonly #of: RowOf<One>
  readonly #one: One

  constructor(of: RowOf<One>, one: One) {
    this.#of = of
    this.#one = one
  }

  get kind() {
    return this.#of.kind
  }
  get id() {
    return this.#of.id(this.#one)
  }
  get state() {
    return this.#of.state(this.#one)
  }
  get parent() {
    return this.#of.parent(this.#one)
  }
  get country() {
    return this.#of.country(this.#one)
  }
  get about() {
    return this.#of.about(this.#one)
  }
  get reason() {
    return this.#of.reason(this.#one)
  }
}

/** Returns the row as it is now. */
export const settled = ({ id, kind, state, parent, country, about, reason }: ActorRow): ActorRow => ({
  id,
  kind,
  state,
  parent,
  country,
  about,
  reason,
})
