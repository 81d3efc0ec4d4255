/**
 * Whose key a new peer has, by WG_KEY_POLICY. A key that the client made is the best one: nobody else ever knows it.
 *
 *   client    the client sends its public key; we make none
 *   host      … or we make a pair, and show the private key once: it is kept nowhere
 *   db        … or we make a pair, and keep the private key sealed, for its owner to read again
 *   wg-easy   wg-easy makes the pair; the private key is kept sealed, for its owner
 */
import { badRequest, HttpError } from '../../http/faults.js'
import { newKeyPair } from '../../protocol/proof.js'
import { keyText } from '../wireguard/key.js'
import type { Secrets } from './secrets.js'

export type KeyPolicy = 'client' | 'host' | 'db' | 'wg-easy'

export interface MadeKeys {
  /** null: it is made elsewhere, or comes later. */
  readonly publicKey: Uint8Array | null
  /** To be shown now, base64; null: we did not make one. */
  readonly privateKey: string | null
  /** To be kept. */
  readonly sealed: Uint8Array | null
  /** Whether the answer to whoever asked shows it. */
  readonly isShown: boolean
}

export class KeyMaker {
  readonly policy: KeyPolicy
  /** Of a peer that waits for its key. */
  readonly none: MadeKeys = { publicKey: null, privateKey: null, sealed: null, isShown: false }
  readonly #secrets: Secrets

  constructor(policy: KeyPolicy, secrets: Secrets) {
    this.policy = policy
    this.#secrets = secrets
  }

  /** Returns the keys of a peer whose owner asks for it; throws a 400 when the policy wants it otherwise. */
  make(accountId: string, publicKey: Uint8Array | null): MadeKeys {
    if (this.policy === 'wg-easy') {
      if (publicKey !== null) throw badRequest('public_key: wg-easy makes the keys here; send none')
      return this.none
    }
    if (publicKey !== null) return { ...this.none, publicKey }
    if (this.policy === 'client')
      throw new HttpError(
        400,
        'key_wanted',
        'public_key: no private keys are made here; make one with `wg genkey`, and send what `wg pubkey` makes of it',
      )
    return this.#pair(accountId, true)
  }

  /** Returns the keys of a peer that nobody waits for: one that could be shown to nobody is not made. */
  ifPossible(accountId: string, publicKey: Uint8Array | null): MadeKeys {
    if (this.policy === 'wg-easy') return this.none
    if (publicKey !== null) return { ...this.none, publicKey }
    return this.policy === 'db' ? this.#pair(accountId, false) : this.none
  }

  #pair(accountId: string, isShown: boolean): MadeKeys {
    const pair = newKeyPair()
    const privateKey = keyText(pair.privateKey)
    const owner = { account_id: accountId, public_key: pair.publicKey }
    const sealed = this.policy === 'db' ? this.#secrets.seal('private', owner, privateKey) : null
    return { publicKey: pair.publicKey, privateKey, sealed, isShown }
  }
}
