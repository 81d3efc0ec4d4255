/** What goes wrong with a host that is asked by SSH. All of it may be otherwise the next time. */

export type SshFault =
  /** Nobody has said yet by which key the host is known. */
  | 'SSH_HOST_KEY_UNKNOWN'
  /** It shows another key than the one it is known by: nothing was told to it. */
  | 'SSH_HOST_KEY_CHANGED'
  /** It does not let us in. */
  | 'SSH_UNAUTHORISED'
  /** It cannot be reached, or took too long. */
  | 'SSH_AWAY'
  /** It answers otherwise than what it was asked for. */
  | 'SSH_ANSWER'
  /** Its address may not be called. */
  | 'SSH_DESTINATION'
  /** Our own way in is missing, or cannot be opened. */
  | 'SSH_LOGIN'

export class SshError extends Error {
  override readonly name = 'SshError'
  readonly code: SshFault

  constructor(code: SshFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
