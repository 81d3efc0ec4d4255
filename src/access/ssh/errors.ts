/** What goes wrong with a WireGuard host. All but a refusal may be otherwise the next time. */

export type SshFault =
  /** WG_APPLY_ENABLED is 0. */
  | 'SSH_OFF'
  /** Nobody has said yet by which key the host is known. */
  | 'SSH_HOST_KEY_UNKNOWN'
  /** It shows another key than the one it is known by: nothing was told to it. */
  | 'SSH_HOST_KEY_CHANGED'
  | 'SSH_UNAUTHORISED'
  /** It cannot be reached, or took too long. */
  | 'SSH_AWAY'
  /** It answers otherwise than our scripts do. */
  | 'SSH_ANSWER'
  /** The settings cannot be used. */
  | 'SSH_SETTINGS'
  /** It will never do this. */
  | 'PROVISION_REFUSED'

export class SshError extends Error {
  override readonly name = 'SshError'
  readonly code: SshFault

  constructor(code: SshFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
