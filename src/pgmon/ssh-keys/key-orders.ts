/** What is asked of the thread that works on keys, and what it answers. */
import type { KeyParts } from './key-parts.js'

export type KeyOrder =
  | { readonly do: 'generate'; readonly type: 'rsa'; readonly bits: number }
  | { readonly do: 'generate'; readonly type: 'ed25519' }
  | { readonly do: 'open'; readonly text: string; readonly passphrase: string | null }

export type KeyAnswer = { readonly key: KeyParts } | { readonly complaint: string }
