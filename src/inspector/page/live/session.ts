/**
 * Who is signed in. Tokens live as long as this tab: in memory, and in its session storage so that a reload does not
 * ask again. No cookie is ever set, so nothing can be done in the operator's name by another page.
 */
import { computed, signal } from '@preact/signals'

export type Role = 'user' | 'viewer' | 'operator' | 'admin'

interface Tokens {
  readonly token: string
  /** When the token is over, ms since 1970 UTC. */
  readonly expiresAtMs: number
  /** Gives the next token, once; null: the token given by hand is all there is. */
  readonly refreshToken: string | null
  /** null: the coordinator says so when the token is used. */
  readonly role: Role | null
}

interface SignedIn {
  readonly token: string
  readonly expiresAt: string
  readonly refreshToken: string
  readonly account: { readonly role: Role }
}

const PLACE = 'boson.session'
/** A token is renewed when it has less than this to live, ms. */
const RENEW_BEFORE_MS = 120_000

const tokens = signal<Tokens | null>(remembered())

/** Whether somebody is signed in: the token may still turn out to be over. */
export const isSignedIn = computed(() => tokens.value !== null)

/** Whether it is somebody who only has what is their own. */
export const isUser = computed(() => tokens.value?.role === 'user')

/** Why the page asks to sign in again; null when nobody was signed in before. */
export const signedOutBecause = signal<string | null>(null)

/** Resolves when signed in; rejects with an Error whose message is for the person. */
export async function signIn(name: string, password: string): Promise<void> {
  keep(tokensOf(await post<SignedIn>('/api/v1/sign-in', { name, password })))
}

/** Signs in by the operator's token instead of an account. Whether it is one shows when the socket opens. */
export function signInByToken(token: string): void {
  keep({ token, expiresAtMs: Number.MAX_SAFE_INTEGER, refreshToken: null, role: null })
}

/** Forgets the tokens here and, when it can be reached, at the coordinator. */
export function signOut(because: string | null = null): void {
  const refreshToken = tokens.peek()?.refreshToken
  sessionStorage.removeItem(PLACE)
  signedOutBecause.value = because
  tokens.value = null
  // Out of reach it ends by itself: it is short.
  if (refreshToken) post('/api/v1/sign-out', { refreshToken }).catch(() => undefined)
}

/** The token is not good any more, whatever it says; returns whether it can be renewed. */
export function expire(): boolean {
  const now = tokens.peek()
  if (now === null || now.refreshToken === null) return false
  keep({ ...now, expiresAtMs: 0 })
  return true
}

let renewing: Promise<string | null> | null = null

/** Resolves with a token that is good for a while; null when one has to sign in. Rejects when the coordinator is out of reach. */
export function freshToken(): Promise<string | null> {
  const now = tokens.peek()
  if (now === null || now.expiresAtMs - Date.now() > RENEW_BEFORE_MS || now.refreshToken === null)
    return Promise.resolve(now?.token ?? null)
  renewing ??= renew(now.refreshToken).finally(() => {
    renewing = null
  })
  return renewing
}

/** How long the token is good without being renewed, ms. */
export const renewInMs = (): number =>
  Math.max(0, (tokens.peek()?.expiresAtMs ?? 0) - RENEW_BEFORE_MS - Date.now())

async function renew(refreshToken: string): Promise<string | null> {
  try {
    const next = tokensOf(await post<SignedIn>('/api/v1/sign-in/renew', { refreshToken }))
    keep(next)
    return next.token
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    signOut(error.message)
    return null
  }
}

/** The coordinator has answered, and the answer is no. */
class Refused extends Error {}

async function post<T>(path: string, body: object): Promise<T> {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = (await response.json().catch(() => null)) as (T & { error?: { message?: string } }) | null
  if (response.ok) return answer as T // by the endpoint's own description
  const said = answer?.error?.message ?? `the coordinator answered with status ${response.status}`
  throw response.status < 500 && response.status !== 429 ? new Refused(said) : new Error(said)
}

const tokensOf = ({ token, expiresAt, refreshToken, account }: SignedIn): Tokens => ({
  token,
  expiresAtMs: Date.parse(expiresAt),
  refreshToken,
  role: account.role,
})

function keep(next: Tokens): void {
  sessionStorage.setItem(PLACE, JSON.stringify(next))
  signedOutBecause.value = null
  tokens.value = next
}

function remembered(): Tokens | null {
  try {
    return JSON.parse(sessionStorage.getItem(PLACE) ?? 'null') as Tokens | null // only we write it
  } catch {
    return null
  }
}
