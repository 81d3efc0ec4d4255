/** What goes wrong with wg-easy. All but a refusal may be otherwise the next time. */

export type WgEasyFault =
  /** It lets us in by none of the ways that it has. */
  | 'WG_EASY_UNAUTHORISED'
  /** It cannot be reached, or took too long. */
  | 'WG_EASY_AWAY'
  /** It answers as no wg-easy does, or that it failed. */
  | 'WG_EASY_ANSWER'
  /** It will never do this. */
  | 'PROVISION_REFUSED'

export class WgEasyError<F extends WgEasyFault = WgEasyFault> extends Error {
  override readonly name = 'WgEasyError'
  readonly code: F

  constructor(code: F, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
