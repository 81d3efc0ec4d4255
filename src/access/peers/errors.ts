/** What provisioners throw when asking again is of no use. */
import type { ProvisionRefused } from '../ports.js'

export class PeerRefused extends Error implements ProvisionRefused {
  override readonly name = 'PeerRefused'
  readonly code = 'PROVISION_REFUSED'
}

/** Returns whether it is of no use to ask again. */
export const isRefusal = (error: unknown): error is ProvisionRefused =>
  error instanceof Error && 'code' in error && error.code === 'PROVISION_REFUSED'
