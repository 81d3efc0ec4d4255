/**
 * How a receiver knows that it is us: `Boson-Signature: t=<seconds>,v1=<hex>`, where `v1` is HMAC-SHA256 over
 * `<t>.<body>` keyed by the secret as it was shown. There is one `v1` for each secret that is good.
 */
import { createHmac } from 'node:crypto'

/** Returns the value of the header, for a body that is sent at `atMs` since 1970 UTC. */
export function signature(secrets: readonly string[], body: string, atMs: number): string {
  const seconds = Math.floor(atMs / 1000)
  const signed = secrets.map(
    secret => `v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`,
  )
  return [`t=${seconds}`, ...signed].join(',')
}
