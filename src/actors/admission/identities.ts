/** Every identity that has ever enrolled, by id and by WireGuard key. Small and read at each registration, so all are kept in memory. */
import type { Identity, IdentityId } from '../ports.js'

const keyText = (publicKey: Uint8Array): string => Buffer.from(publicKey).toString('base64')

export class Identities {
  readonly #byId = new Map<IdentityId, Identity>()
  readonly #byKey = new Map<string, IdentityId>()

  get size(): number {
    return this.#byId.size
  }

  [Symbol.iterator](): IterableIterator<Identity> {
    return this.#byId.values()
  }

  of(id: IdentityId): Identity | undefined {
    return this.#byId.get(id)
  }

  /** Returns whose WireGuard key this is. */
  ownerOf(publicKey: Uint8Array): IdentityId | undefined {
    return this.#byKey.get(keyText(publicKey))
  }

  set(identity: Identity): void {
    const known = this.#byId.get(identity.id)
    if (known === undefined) this.#byKey.set(keyText(identity.publicKey), identity.id)
    this.#byId.set(identity.id, identity)
  }
}
