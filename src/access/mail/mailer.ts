/** The port that mail leaves by, and the way it leaves when there is no mail server: into the log. */
import type { Log } from '../../app/mesh.js'

export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** Resolves when somebody else is responsible for the mail; rejects when it has to be tried again. */
export type SendMail = (mail: Mail) => Promise<void>

/** Returns what writes mail to the log. In production its text, which may let somebody in, stays in the database. */
export const toLog =
  (log: Pick<Log, 'info'>, withText: boolean): SendMail =>
  async ({ to, subject, text }) =>
    log.info(
      { to, subject, ...(withText && { text }) },
      'there is no mail server: this mail is for somebody to pass on',
    )
