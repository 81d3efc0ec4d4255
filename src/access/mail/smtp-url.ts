/**
 * Where mail leaves: a mail server as one setting names it, and whom it comes from as another does.
 *
 *   smtp://boson:password@mail.example.org        port 587, TLS by STARTTLS
 *   smtps://boson:password@mail.example.org       port 465, TLS from the first byte
 *   smtps://mail.example.org?ca=/etc/boson/ca.pem whose certificate an authority of one's own has signed
 *   smtp://127.0.0.1:25?tls=never                 in clear, on this machine alone
 */
import { isIP } from 'node:net'

export interface SmtpPlace {
  readonly host: string
  readonly port: number
  /** `none` is in clear. */
  readonly tls: 'from the start' | 'starttls' | 'none'
  readonly auth: { readonly user: string; readonly pass: string } | null
  /** Path of the authorities to trust instead of the system's, PEM. */
  readonly ca: string | null
}

export interface Sender {
  readonly name: string
  readonly address: string
}

/** What such a URL has to be, in words. */
export const SMTP_URL_WANTED =
  'a URL such as smtp://user:password@mail.example.org:587 or smtps://…; ?ca=FILE and, to this machine only, ?tls=never may follow'
/** What a sender has to be, in words. */
export const SENDER_WANTED = 'an address such as mesh@example.org or Mesh <mesh@example.org>'

/** Ports of mail that is handed in, RFC 8314 §3.3. */
const PORTS = { 'smtp:': 587, 'smtps:': 465 }
/** One mailbox, with nothing that a header or an SMTP command is made of. */
const ADDRESS = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?$/
const NAMED = /^([^<>"\p{Cc}]{1,64}?) ?<([^<>]+)>$/u

/** Whether mail can be addressed to it. */
export const isAddress = (text: string): boolean => ADDRESS.test(text)

/** Returns the place that a URL names, or null when it names none. */
export function readSmtpUrl(text: string): SmtpPlace | null {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  if (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') return null
  if (!/^\/?$/.test(url.pathname) || url.hash !== '' || url.hostname === '') return null
  const { tls, ca = null, ...others } = Object.fromEntries(url.searchParams)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const mayBeOpen = url.protocol === 'smtp:' && isThisMachine(host)
  if (Object.keys(others).length > 0 || (tls !== undefined && !(tls === 'never' && mayBeOpen))) return null
  const auth = readCredentials(url)
  if (auth === undefined) return null
  return {
    host,
    port: Number(url.port) || PORTS[url.protocol],
    tls: url.protocol === 'smtps:' ? 'from the start' : tls === 'never' ? 'none' : 'starttls',
    auth,
    ca,
  }
}

/** Returns the sender that a setting names, or null when it names none. */
export function readSender(text: string): Sender | null {
  const [, name = '', address = text] = NAMED.exec(text) ?? []
  return isAddress(address) ? { name, address } : null
}

const isThisMachine = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

/** Returns undefined when half of them is missing, or they are not spelled as a URL spells them. */
function readCredentials({ username, password }: URL): SmtpPlace['auth'] | undefined {
  if (username === '' && password === '') return null
  try {
    const auth = { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
    return auth.user === '' || auth.pass === '' ? undefined : auth
  } catch {
    return undefined
  }
}
