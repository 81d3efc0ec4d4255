/** Asks whoever answers at the coordinator's address who it is, how it is and what its clock says. */
import { request as overTls } from 'node:https'
import { request as plain } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { Health } from '../../telemetry/health.js'
import type { Clock } from '../../kit/clock.js'
import type { Status } from '../api/status.js'
import { reasonOf } from './check.js'

export interface Running {
  readonly url: string
  /** null: whoever answers is no coordinator. */
  readonly health: Health | null
  /** What only operators are told; null without a token that it takes. */
  readonly status: Status | null
  readonly roundTripMs: number
  /** How far its wall clock is ahead of ours, ms, give or take half the round trip; null when it does not tell. */
  readonly aheadMs: number | null
  /** Of the certificate that it showed; null without TLS. */
  readonly fingerprint: string | null
}

export interface RunningOptions {
  readonly url: string
  readonly token: string | null
  readonly clock: Pick<Clock, 'now' | 'wallMs'>
  /** Whether a certificate that nobody vouches for will do: here only its fingerprint counts. */
  readonly insecure: boolean
}

/** An answer may take this long, ms: less than a check may, as several wait for it. */
const PATIENCE_MS = 2_000
/** Pages of ours are far shorter, bytes. */
const ANSWER_MAX = 1 << 20

/** Resolves with what was answered, or with the reason why nothing was. */
export async function askRunning(options: RunningOptions): Promise<Running | string> {
  const { url, clock, token } = options
  try {
    const startedMs = clock.now()
    const first = await get(`${url}/health`, options, null)
    const roundTripMs = clock.now() - startedMs
    const health = asHealth(first.body)
    // A stranger on our port is told no token.
    const status = health === null || token === null ? null : await statusOf(options, token)
    return {
      url,
      health,
      status,
      roundTripMs,
      aheadMs: health === null ? null : Date.parse(health.timestamp) - (clock.wallMs() - roundTripMs / 2),
      fingerprint: first.fingerprint,
    }
  } catch (error) {
    return reasonOf(error)
  }
}

async function statusOf(options: RunningOptions, token: string): Promise<Status | null> {
  const { status, body } = await get(`${options.url}/api/v1/status`, options, token)
  return status === 200 ? (body as Status) : null // as it is documented
}

function asHealth(body: unknown): Health | null {
  const { timestamp, services } = (body ?? {}) as Partial<Health> // looked at before it is believed
  return typeof timestamp === 'string' && services?.relay !== undefined && services.database !== undefined
    ? (body as Health)
    : null
}

interface Answer {
  readonly status: number
  /** null: no JSON. */
  readonly body: unknown
  readonly fingerprint: string | null
}

function get(url: string, { insecure }: RunningOptions, token: string | null): Promise<Answer> {
  const send = url.startsWith('https:') ? overTls : plain
  return new Promise((resolve, reject) => {
    const request = send(
      url,
      {
        agent: false,
        rejectUnauthorized: !insecure,
        signal: AbortSignal.timeout(PATIENCE_MS),
        headers: token === null ? {} : { authorization: `Bearer ${token}` },
      },
      response => {
        const fingerprint =
          (response.socket as Partial<TLSSocket>).getPeerCertificate?.().fingerprint256 ?? null
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (piece: string) => {
          text += piece
          if (text.length > ANSWER_MAX) request.destroy(new Error('an answer that has no end'))
        })
        response.on('error', reject)
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: asJson(text), fingerprint }),
        )
      },
    )
    request.on('error', error =>
      reject(error.name === 'AbortError' || error.name === 'TimeoutError' ? new Error('no answer') : error),
    )
    request.end()
  })
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
