/** Who an agent is, checked before anything is dialled. */
import type { KeyObject } from 'node:crypto'
import type { WireOf } from '../protocol/messages.js'
import { makeProof, privateKeyOf, publicOf } from '../protocol/proof.js'
import { checkFields } from './check.js'
import { AgentError } from './errors.js'
import type { PathPolicy } from './ports.js'

/** What an agent says of itself; everything is optional, and only known things should be said. */
export type AgentProfile = Omit<
  WireOf<'register'>,
  'type' | 'role' | 'id' | 'publicKey' | 'proof' | 'credential' | 'agent' | 'policy' | 'can'
>

/** What an agent can do about leaving the relay. */
export type Ability = NonNullable<WireOf<'register'>['can']>[number]

export interface IdentityOptions {
  readonly role: 'node' | 'client'
  /** Name of the identity; bound to its key at first contact. */
  readonly id: string
  /** WireGuard private key: 32 bytes, or their base64 as WireGuard writes it. */
  readonly privateKey: Uint8Array | string
  /** Enrolment key; needed at first contact only. */
  readonly credential?: string | undefined
  readonly profile?: AgentProfile | undefined
  /** Software and version, for people. */
  readonly agent?: string | undefined
  /** Which ways its packets may travel; `auto` unless given. */
  readonly policy?: PathPolicy | undefined
  readonly can?: readonly Ability[] | undefined
}

/** Bytes of a proof, to check a registration before there is a challenge. */
const NO_PROOF = new Uint8Array(32)

export class Identity {
  readonly role: 'node' | 'client'
  readonly id: string
  readonly publicKey: Uint8Array
  readonly #privateKey: KeyObject
  readonly #says: Omit<WireOf<'register'>, 'proof'>

  /** Throws an AgentError that names the option and says what was wanted. */
  constructor({ role, id, privateKey, credential, profile, agent, policy, can = [] }: IdentityOptions) {
    const raw = keyBytes(privateKey)
    this.role = role
    this.id = id
    this.publicKey = publicOf(raw)
    this.#privateKey = privateKeyOf(raw)
    this.#says = {
      type: 'register',
      role,
      id,
      publicKey: this.publicKey,
      ...(credential === undefined ? {} : { credential }),
      agent: agent ?? `bosonserver, node ${process.version}`,
      ...profile,
      ...(policy === undefined ? {} : { policy }),
      ...(can.length === 0 ? {} : { can }),
    }
    const { type, ...fields } = this.#says
    checkFields(type, { ...fields, proof: NO_PROOF })
  }

  /** Returns the registration that answers `welcome`. Throws when its challenge is no usable key. */
  register({ challenge, nonce, serverId }: WireOf<'welcome'>): WireOf<'register'> {
    const { role, id } = this
    return { ...this.#says, proof: makeProof(this.#privateKey, challenge, { nonce, role, id, serverId }) }
  }
}

/** Returns the 32 bytes of a WireGuard key; throws an AgentError. */
export function keyBytes(key: Uint8Array | string): Uint8Array {
  const bytes = typeof key === 'string' ? Buffer.from(key.trim(), 'base64') : key
  // Buffer skips what is not base64; WireGuard's 44 characters leave no doubt.
  if (bytes.length === 32 && (typeof key !== 'string' || /^[A-Za-z0-9+/]{43}=$/.test(key.trim())))
    return bytes
  throw new AgentError(
    'BAD_KEY',
    'privateKey: wanted 32 bytes, or 44 characters of base64 as `wg genkey` prints',
  )
}
