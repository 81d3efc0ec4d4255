/** What goes wrong with a WireGuard host, beside the way to it. All but a refusal may be otherwise the next time. */

export type HostFault =
  /** WG_APPLY_ENABLED is 0. */
  | 'SSH_OFF'
  /** It answers otherwise than our scripts do. */
  | 'SSH_ANSWER'
  /** The settings cannot be used. */
  | 'SSH_SETTINGS'
  /** It will never do this. */
  | 'PROVISION_REFUSED'

export class HostError extends Error {
  override readonly name = 'HostError'
  readonly code: HostFault

  constructor(code: HostFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
