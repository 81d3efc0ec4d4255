/** Cookies (RFC 6265): only for pages of this coordinator, and never for their scripts. */

export interface Cookie {
  readonly name: string
  /** Of A-Z a-z 0-9 . _ -; empty: it is to be forgotten. */
  readonly value: string
  /** The path that it is sent to, and what is below it. */
  readonly path: string
  readonly maxAgeS: number
  /** Whether it travels over TLS only. */
  readonly isSecure: boolean
}

/** Returns what `Set-Cookie` says. */
export const setCookie = ({ name, value, path, maxAgeS, isSecure }: Cookie): string =>
  [
    `${name}=${value}`,
    `Path=${path}`,
    `Max-Age=${value === '' ? 0 : maxAgeS}`,
    'HttpOnly',
    'SameSite=Strict',
    ...(isSecure ? ['Secure'] : []),
  ].join('; ')

/** Returns the value of a cookie of a request; null when there is none. */
export function cookieOf(headers: ReadonlyMap<string, string>, name: string): string | null {
  for (const pair of (headers.get('cookie') ?? '').split(';')) {
    const [key = '', ...value] = pair.split('=')
    if (key.trim() === name && value.length > 0) return value.join('=').trim()
  }
  return null
}
