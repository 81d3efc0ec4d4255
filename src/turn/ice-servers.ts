/** Spells servers as clients want them: URLs (RFC 7064, 7065) and credentials. */
import type { Clock } from '../kit/clock.js'
import { issueCredentials } from './credentials.js'
import type { IceServer, TurnEndpoints } from './service.js'

export interface UrlParts {
  readonly host: string
  readonly port: number
  readonly transport: 'udp' | 'tcp' | 'tls'
}

/** Returns the URLs of these listeners. */
export function urlsOf(listeners: readonly UrlParts[]): TurnEndpoints {
  const at = ({ host, port }: UrlParts) => `${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    stun: listeners.filter(({ transport }) => transport === 'udp').map(one => `stun:${at(one)}`),
    turn: listeners.map(one =>
      one.transport === 'tls'
        ? `turns:${at(one)}?transport=tcp`
        : `turn:${at(one)}?transport=${one.transport}`,
    ),
  }
}

export interface IssueOptions {
  readonly clock: Clock
  readonly secret: string
  readonly ttlS: number
}

/** Returns the entries for `iceServers`, with new credentials for `id`. */
export function iceServers(
  { stun, turn }: TurnEndpoints,
  id: string,
  { clock, secret, ttlS }: IssueOptions,
): IceServer[] {
  const { username, password } = issueCredentials(secret, id, ttlS, clock.wallMs())
  const open: IceServer[] = stun.length === 0 ? [] : [{ urls: stun }]
  return turn.length === 0 ? open : [...open, { urls: turn, username, credential: password }]
}
