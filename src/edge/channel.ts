/** A kind of WebSocket that the port offers: where it is, who may open it, how much it carries, and who hears it. */
import type { Intake } from '../actors/ports.js'
import { isOwnOrigin } from '../http/own-page.js'

export interface Channel {
  readonly path: string
  readonly subprotocol: string
  /** As refusals call it: `the mesh`. */
  readonly name: string
  readonly pages: Pages
  /** The largest message that is taken, bytes. */
  readonly messageMax: number
  /** What may wait in a socket, bytes: whoever gets there is closed. */
  readonly waitingMax: number
  /** The port pings, and closes what has been silent for this long, s; 0: the channel looks after that itself. */
  readonly silenceS: number
  readonly intake: Intake
}

/** Which web pages may open a channel. Agents and command lines send no Origin and are no page. */
export interface Pages {
  readonly origins: ReadonlySet<string>
  /** Whether those that this very server gave may as well. */
  readonly own: boolean
  /** The setting that lists the origins. */
  readonly setting: string
}

/** Returns whether a page of this origin may open the channel; `host` is the request’s own. */
export const mayOpen = ({ origins, own }: Pages, origin: string, host: string): boolean =>
  origins.has(origin) || (own && isOwnOrigin(origin, host))
