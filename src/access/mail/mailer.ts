/** The port that mail leaves by, and the way it leaves when there is no mail server: into the log. */
import type { Log } from '../../app/mesh.js'

export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** A mail on its way. */
export interface Letter extends Mail {
  /** No other mail's, and the same each time that it is tried; of letters, digits and dots. */
  readonly id: string
}

/**
 * Resolves when somebody else is responsible for the mail. Rejects with a MailRefused when it never will leave, and with
 * anything else when it has to be tried again.
 */
export type SendMail = (letter: Letter) => Promise<void>

/** The mail will not be taken, however often it is tried. */
export class MailRefused extends Error {
  override readonly name = 'MailRefused'
  readonly code = 'MAIL_REFUSED'
}

/** The mail cannot leave now. */
export class MailDelayed extends Error {
  override readonly name = 'MailDelayed'
  readonly code = 'MAIL_DELAYED'
}

/** Returns what writes mail to the log. In production its text, which may let somebody in, stays in the database. */
export const toLog =
  (log: Pick<Log, 'info'>, withText: boolean): SendMail =>
  async ({ to, subject, text }) =>
    log.info(
      { to, subject, ...(withText && { text }) },
      'there is no mail server: this mail is for somebody to pass on',
    )
