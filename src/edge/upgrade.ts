/** Who may open a WebSocket. Decided before the upgrade, answered in a sentence. */
import { badRequest, HttpError, unavailable } from '../http/faults.js'
import { type Channel, mayOpen } from './channel.js'

export interface Knock {
  /** Sec-WebSocket-Protocol as sent. */
  readonly protocols: string
  readonly version: string
  /** Empty when absent; agents send none, browsers always do. */
  readonly origin: string
  /** What the request takes this server for. */
  readonly host: string
  readonly query: string
  readonly remote: string
}

/** Returns why this upgrade is refused, or null when it may go on. */
export function refusal(
  knock: Knock,
  { name, subprotocol, pages, intake }: Pick<Channel, 'name' | 'subprotocol' | 'pages' | 'intake'>,
): HttpError | null {
  if (knock.version !== '13') {
    return new HttpError(426, 'upgrade_required', `${name} speaks WebSocket version 13 (RFC 6455)`, {
      'Sec-WebSocket-Version': '13',
    })
  }
  if (!knock.protocols.split(',').some(offered => offered.trim() === subprotocol))
    return badRequest(`${name} speaks the subprotocol \`${subprotocol}\`: offer it in Sec-WebSocket-Protocol`)
  // A credential in a URL ends up in logs.
  if (knock.query !== '')
    return badRequest(`${name} takes no query: credentials travel inside the socket, in its first message`)
  // Another site's page could use the network position of whoever looks at it.
  if (knock.origin !== '' && !mayOpen(pages, knock.origin, knock.host))
    return new HttpError(
      403,
      'origin_refused',
      `web pages of this origin may not open ${name}; see ${pages.setting}`,
    )
  const admitted = intake.admit(knock.remote)
  return admitted.ok ? null : unavailable('too many connections now', admitted.retryAfterS)
}
