/** Keys as people compare them. */
import { createHash } from 'node:crypto'

/** Returns the fingerprint of a public key, in the form that SSH sends it, as `ssh-keygen -l` tells it: `SHA256:…`. */
export const fingerprintOf = (publicKey: Uint8Array): string =>
  `SHA256:${createHash('sha256').update(publicKey).digest('base64').replace(/=+$/, '')}`
