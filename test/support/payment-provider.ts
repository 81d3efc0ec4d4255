/** A payment provider that signs what it tells, well or badly. */
import { createHmac } from 'node:crypto'
import type { RestServer } from './rest-server.js'

export interface Delivery {
  readonly secret?: string
  /** When it is signed, ms since 1970 UTC. */
  readonly atMs?: number
  /** What is signed instead of the body. */
  readonly signed?: string
  /** null: the signature is left out. */
  readonly header?: null
}

/** Resolves with the answer to an event, or to a text that is none. */
export function delivered(
  server: RestServer,
  event: unknown,
  { secret = '', atMs = 0, signed, header }: Delivery,
) {
  const body = typeof event === 'string' ? event : JSON.stringify(event)
  const seconds = Math.floor(atMs / 1_000)
  const mac = createHmac('sha256', secret)
    .update(`${seconds}.${signed ?? body}`)
    .digest('hex')
  return server.ask('POST', '/payments/webhook', {
    token: null,
    body,
    headers: header === null ? {} : { 'x-boson-signature': `t=${seconds},v1=${mac}` },
  })
}
