/** Why a server told nothing: a code for programs, words for people, and what HTTP makes of it. */
import pg from 'pg'
import { DestinationError } from '../../http/destination.js'
import { HttpError } from '../../http/faults.js'
import type { ServerFaultCode } from '../ports.js'

export class ServerFault extends Error {
  override readonly name = 'ServerFault'
  readonly code: ServerFaultCode
  /** When it may be otherwise, ms from now; null: nobody knows. */
  readonly retryAfterMs: number | null

  constructor(
    code: ServerFaultCode,
    message: string,
    { retryAfterMs = null, ...options }: ErrorOptions & { readonly retryAfterMs?: number | null } = {},
  ) {
    super(message, options)
    this.code = code
    this.retryAfterMs = retryAfterMs
  }
}

/** Returns what kept a connection from being made. */
export function asConnectFault(error: unknown): ServerFault {
  if (error instanceof ServerFault) return error
  const { code = '', message } = plain(error)
  const fault = (kind: ServerFaultCode, words: string) => new ServerFault(kind, words, { cause: error })
  if (error instanceof DestinationError)
    return fault(error.code === 'BAD_DESTINATION' ? 'SERVER_DESTINATION' : 'SERVER_AWAY', message)
  if (error instanceof pg.DatabaseError) return fault(CODES[code.slice(0, 2)] ?? 'SERVER_REFUSED', message)
  const advice = ADVICE.find(({ of }) => message.startsWith(of))
  if (advice !== undefined) return fault('SERVER_REFUSED', advice.words)
  // Of sockets: ECONNREFUSED. What else has a code is TLS: CERT_HAS_EXPIRED, ERR_TLS_CERT_ALTNAME_INVALID.
  const isTls = code !== '' && (!/^E[A-Z]+$/.test(code) || code === 'EPROTO')
  if (isTls) return fault('SERVER_REFUSED', `its certificate is not good: ${message}`)
  const words = message === 'timeout expired' ? NO_ANSWER : WORDS[code]
  return fault('SERVER_AWAY', words ?? `it cannot be reached: ${message}`)
}

/** Returns what kept an answer away; null when the error is PostgreSQL’s answer, and the connection as good as before. */
export function asAnswerFault(error: unknown): ServerFault | null {
  if (error instanceof pg.DatabaseError && !isFatal(error)) return null
  const { code = '', message } = plain(error)
  const words = isSilence(error) ? NO_ANSWER : (WORDS[code] ?? `it broke off: ${message}`)
  return new ServerFault('SERVER_AWAY', words, { cause: error })
}

/** Whether an answer stayed away for longer than the server itself may take for it. */
export const isSilence = (error: unknown): boolean =>
  error instanceof Error && error.message === 'Query read timeout' // all that pg says of it

/** Returns a fault of a server, or what PostgreSQL refuses, as HTTP tells it; any other error as it is. */
export function asHttpError(error: unknown): unknown {
  if (error instanceof ServerFault) {
    const { code, message, retryAfterMs } = error
    const retryAfterS = String(Math.max(1, Math.ceil((retryAfterMs ?? RETRY_AFTER_MS) / 1_000)))
    const isPassing = code === 'SERVER_AWAY' || code === 'SERVER_BUSY'
    return isPassing
      ? new HttpError(503, code.toLowerCase(), message, { 'Retry-After': retryAfterS })
      : new HttpError(409, code.toLowerCase(), message)
  }
  if (!(error instanceof Error)) return error
  const { code, message } = plain(error)
  if (code === TOOK_TOO_LONG)
    return new HttpError(503, 'server_busy', `it took too long: ${message}`, { 'Retry-After': '60' })
  if (code === NO_RIGHT) return new HttpError(409, 'server_refused', message)
  return error
}

/** When nobody knows better, ms. */
const RETRY_AFTER_MS = 5_000
const TOOK_TOO_LONG = '57014'
const NO_RIGHT = '42501'

/** Of a server that does not let us in, by the class of its SQLSTATE; any other: it refuses. */
const CODES: Readonly<Record<string, ServerFaultCode>> = {
  '53': 'SERVER_BUSY',
  '57': 'SERVER_AWAY',
  '58': 'SERVER_AWAY',
  XX: 'SERVER_AWAY',
}

const NO_ANSWER = 'it does not answer'

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'it cannot be reached: nothing listens at this port',
  ECONNRESET: 'it broke off the connection',
  EHOSTUNREACH: 'it cannot be reached: there is no way to its host',
  ENETUNREACH: 'it cannot be reached: there is no way to its network',
  ETIMEDOUT: 'it cannot be reached: its host does not answer',
}

/** What pg says before PostgreSQL could, and what to do about it. */
const ADVICE = [
  {
    of: 'The server does not support SSL connections',
    words: 'it does not offer TLS: set ssl = on there, or tls to disable where the network is yours',
  },
  {
    of: 'There was an error establishing an SSL connection',
    words: 'what listens at this port does not speak as PostgreSQL does',
  },
  { of: 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password', words: 'it wants a password' },
] as const

/** The longest message of a server that is passed on, characters. */
const WORDS_MAX = 300

/** Returns code and message, which may be anybody’s text. */
function plain(error: unknown): { readonly code?: string; readonly message: string } {
  if (!(error instanceof Error)) return { message: 'an unknown fault' }
  const { code } = error as { code?: unknown }
  const message = error.message.replaceAll(/\p{C}+/gu, ' ').slice(0, WORDS_MAX)
  return typeof code === 'string' ? { code, message } : { message }
}

const isFatal = ({ severity }: pg.DatabaseError): boolean => severity === 'FATAL' || severity === 'PANIC'
