/** What the core asks of the world. A shell performs it in order; the core never waits for it. */
import type { Endpoint, Family } from '../protocol/address.js'
import type { Flow } from './flow.js'

export type Effect =
  /** Send to a client, from the listener it wrote to or from another one. */
  | {
      readonly type: 'reply'
      readonly to: Flow
      readonly listener: number
      readonly data: Buffer
      /** Traffic of a peer, which a slow stream may lose. */
      readonly relayed: boolean
    }
  /** Send to a peer from a relay's socket. */
  | { readonly type: 'send'; readonly relay: number; readonly to: Endpoint; readonly data: Buffer }
  /** Open a relay's socket, then tell the core whether it is open. */
  | { readonly type: 'open'; readonly relay: number; readonly family: Family; readonly port: number }
  /** Close it, open or opening; nothing is heard of it any more. */
  | { readonly type: 'close'; readonly relay: number }

/** Takes what is to be done, in order. */
export type Ask = (effect: Effect) => void
