/** What can be wrong with how TURN is set up. What peers do wrong is answered and counted, never thrown. */
export type TurnErrorCode =
  | 'bad_secret'
  | 'bad_url'
  | 'cannot_listen'
  | 'coturn_missing'
  | 'coturn_too_old'
  | 'no_answer'
  | 'refused'

export class TurnError extends Error {
  override readonly name = 'TurnError'
  readonly code: TurnErrorCode

  constructor(code: TurnErrorCode, wanted: string, options?: ErrorOptions) {
    super(wanted, options)
    this.code = code
  }
}
