/** Who may open the mesh's WebSocket. Decided before the upgrade, answered in a sentence. */
import type { Intake } from '../actors/ports.js'
import { SUBPROTOCOL } from '../protocol/timing.js'
import { badRequest, HttpError, unavailable } from '../http/faults.js'

export interface Knock {
  /** Sec-WebSocket-Protocol as sent. */
  readonly protocols: string
  readonly version: string
  /** Empty when absent; agents send none, browsers always do. */
  readonly origin: string
  readonly query: string
  readonly remote: string
}

/** Returns why this upgrade is refused, or null when it may go on. */
export function refusal(knock: Knock, origins: ReadonlySet<string>, intake: Intake): HttpError | null {
  if (knock.version !== '13') {
    return new HttpError(426, 'upgrade_required', 'the mesh speaks WebSocket version 13 (RFC 6455)', {
      'Sec-WebSocket-Version': '13',
    })
  }
  if (!knock.protocols.split(',').some(name => name.trim() === SUBPROTOCOL))
    return badRequest(
      `the mesh speaks the subprotocol \`${SUBPROTOCOL}\`: offer it in Sec-WebSocket-Protocol`,
    )
  // A credential in a URL ends up in logs.
  if (knock.query !== '')
    return badRequest('the mesh takes no query: credentials travel inside the socket, in `register`')
  // Another site's page could use the network position of whoever looks at it.
  if (knock.origin !== '' && !origins.has(knock.origin))
    return new HttpError(
      403,
      'origin_refused',
      'web pages of this origin may not open the mesh; see BOSON_ORIGINS',
    )
  const admitted = intake.admit(knock.remote)
  return admitted.ok ? null : unavailable('too many connections now', admitted.retryAfterS)
}
