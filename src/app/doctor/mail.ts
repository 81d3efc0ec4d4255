/** Whether mail leaves, where there is a mail server. Nothing is sent. */
import type { SmtpPlace } from '../../access/mail/smtp-url.js'
import { failed, type Finding, ok, reasonOf, warning } from './check.js'

export interface MailPorts {
  /** null: there is no mail server. */
  readonly place: SmtpPlace | null
  /** Whether people can do nothing without mail. */
  readonly wanted: boolean
  /** Resolves when the server can be reached and lets us in. */
  readonly check: () => Promise<void>
}

export async function mail({ place, wanted, check }: MailPorts): Promise<Finding> {
  const name = 'mail'
  if (place === null)
    return wanted
      ? warning(
          name,
          'goes to the log, and people who register wait for a code',
          'set SMTP_URL and MAIL_FROM, or pass the codes of GET /api/v1/mails on',
        )
      : ok(name, 'goes to the log: SMTP_URL names no mail server')
  const server = `${place.host}:${place.port}`
  try {
    await check()
    const as = place.auth === null ? '' : `, as ${place.auth.user}`
    return ok(name, `${server} takes it${as}, ${place.tls === 'none' ? 'in clear' : 'over TLS'}`)
  } catch (error) {
    const reason = error instanceof Error ? error.message : reasonOf(error)
    return failed(name, `${server} does not take it (${reason})`, adviceFor(reason))
  }
}

function adviceFor(reason: string): string {
  if (/login|authenticat|credential/i.test(reason)) return 'see to the user and the password in SMTP_URL'
  if (/certificate|altname|self-signed/i.test(reason))
    return 'its certificate must be good for that name: see to the host in SMTP_URL, or trust its authority with ?ca=FILE'
  if (/TLS/.test(reason)) return 'it offers no TLS there: see to the port, or use smtps://'
  return 'see to SMTP_URL, and whether this machine may connect to it; mail waits for a day'
}
