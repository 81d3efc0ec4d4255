/**
 * Keys that are kept for peers, sealed. Each is bound to its peer: what was sealed for one opens in no other row, nor as
 * another kind of key.
 */
import type { Vault } from '../../app/plugin.js'
import { keyText } from '../wireguard/key.js'

/** Whose secret it is; both never change. */
interface Owner {
  readonly account_id: string
  readonly public_key: Uint8Array | null
}
export type SecretKind = 'private' | 'preshared'

export class Secrets {
  readonly #vault: Vault

  constructor(vault: Vault) {
    this.#vault = vault
  }

  seal(kind: SecretKind, owner: Owner, key: string): Uint8Array {
    return this.#vault.seal(key, placeOf(kind, owner))
  }

  /** Returns null when there is none, or the vault cannot open it any more. */
  open(kind: SecretKind, owner: Owner, sealed: Uint8Array | null): string | null {
    return sealed === null ? null : this.#vault.open(sealed, placeOf(kind, owner))
  }
}

const placeOf = (kind: SecretKind, { account_id, public_key }: Owner): string =>
  `${kind} key of ${account_id}, peer ${public_key === null ? '' : keyText(public_key)}`
