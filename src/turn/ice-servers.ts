/** Spells servers as clients want them: URLs (RFC 7064, 7065) and credentials. */
import type { Clock } from '../kit/clock.js'
import { issueCredentials } from './credentials.js'
import type { IceServer, TurnEndpoints } from './service.js'

export interface UrlParts {
  readonly host: string
  readonly port: number
  readonly transport: 'udp' | 'tcp' | 'tls'
  readonly onlyProbed?: boolean
}

/** Returns the URLs of these listeners. */
export function urlsOf(listeners: readonly UrlParts[]): TurnEndpoints {
  const at = ({ host, port }: UrlParts) => `${host.includes(':') ? `[${host}]` : host}:${port}`
  const stun = (one: UrlParts) => (one.transport === 'udp' ? [`stun:${at(one)}`] : [])
  const turn = (one: UrlParts) =>
    one.transport === 'tls' ? `turns:${at(one)}?transport=tcp` : `turn:${at(one)}?transport=${one.transport}`
  const open = listeners.filter(({ onlyProbed = false }) => !onlyProbed)
  return {
    stun: open.flatMap(stun),
    turn: [...new Set(open.map(turn))],
    probed: listeners.flatMap(stun),
  }
}

export interface IssueOptions {
  readonly clock: Clock
  readonly secret: string
  readonly ttlS: number
}

/** An identity gets new credentials this often at most, ms; asked sooner it gets the same again. */
const ISSUE_EVERY_MS = 60_000

/** Returns the entries for `iceServers`, with credentials for `id` that are good for `ttlS`, or up to a minute less. */
export function iceServers(
  { stun, turn }: Pick<TurnEndpoints, 'stun' | 'turn'>,
  id: string,
  { clock, secret, ttlS }: IssueOptions,
): IceServer[] {
  const minuteMs = Math.floor(clock.wallMs() / ISSUE_EVERY_MS) * ISSUE_EVERY_MS
  const { username, password } = issueCredentials(secret, id, ttlS, minuteMs)
  const open: IceServer[] = stun.length === 0 ? [] : [{ urls: stun }]
  return turn.length === 0 ? open : [...open, { urls: turn, username, credential: password }]
}
