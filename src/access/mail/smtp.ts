/**
 * Mail that leaves by SMTP. The way is encrypted unless the setting says otherwise, every step has its time, and what
 * goes wrong is one of two things: the mail is refused for good, or it has to be tried again.
 */
import { readFileSync } from 'node:fs'
import { createTransport } from 'nodemailer'
import type { Clock } from '../../kit/clock.js'
import { type Letter, MailDelayed, MailRefused } from './mailer.js'
import {
  isAddress,
  readSender,
  readSmtpUrl,
  type Sender,
  SENDER_WANTED,
  SMTP_URL_WANTED,
} from './smtp-url.js'

export interface MailServerOptions {
  /** As SMTP_URL has it. */
  readonly url: string
  /** As MAIL_FROM has it. */
  readonly from: string
  readonly clock: Clock
  /** How long the server may take for its name, a connection, the greeting, and any answer after it, ms. */
  readonly stepMs?: number
}

/** A server that is busy answers late; one that is gone is not waited for, ms. */
const STEP_MS = 10_000
/** Of a mail from the first step to the last: less than the outbox lends it for, ms. */
const SENDING_MAX_MS = 45_000
/** Mails that are on their way when the process stops may take so long to arrive, ms. */
const CLOSING_MS = 3_000
/** Connections at once: a burst of mails leaves soon, and no server takes that for a flood. */
const CONNECTIONS = 3
/** A connection without work is closed before the server does it in the middle of a mail, ms. */
const IDLE_MS = 30_000
/** Of what a server says, characters. */
const WORDS_MAX = 200

export class MailServer {
  readonly #clock: Clock
  readonly #from: Sender
  readonly #pool: ReturnType<typeof poolOf>
  readonly #sending = new Set<Promise<unknown>>()
  readonly #over = new AbortController()

  /** Throws when the settings cannot be used. Nothing is asked of the server yet. */
  constructor(options: MailServerOptions) {
    const from = readSender(options.from)
    if (from === null) throw new Error(`MAIL_FROM: wanted ${SENDER_WANTED}`)
    this.#clock = options.clock
    this.#from = from
    this.#pool = poolOf(options)
  }

  /** Resolves when the server is responsible for the mail; rejects with a MailRefused or a MailDelayed. */
  async send({ to, subject, text, id }: Letter): Promise<void> {
    if (!isAddress(to)) throw new MailRefused('its recipient is no address')
    const late = new AbortController()
    const timer = this.#clock.setTimeout(() => late.abort(), SENDING_MAX_MS)
    const [, domain = ''] = this.#from.address.split('@')
    const sending = this.#pool.sendMail({
      signal: AbortSignal.any([late.signal, this.#over.signal]),
      from: this.#from,
      to: { name: '', address: to },
      subject: subject.replaceAll(/\p{Cc}+/gu, ' '),
      text,
      // The same each time that it is tried: who has it already knows it again.
      messageId: `<${id}@${domain}>`,
      date: new Date(this.#clock.wallMs()),
      // Nobody's absence answers it (RFC 3834).
      headers: { 'Auto-Submitted': 'auto-generated' },
    })
    this.#sending.add(sending)
    try {
      await sending
    } catch (error) {
      throw judged(error)
    } finally {
      this.#clock.clearTimeout(timer)
      this.#sending.delete(sending)
    }
  }

  /** Resolves when the server can be reached and lets us in; rejects with a MailDelayed. Nothing is sent. */
  async check(): Promise<void> {
    try {
      await this.#pool.verify()
    } catch (error) {
      throw judged(error)
    }
  }

  /** Resolves when all connections are closed; what does not arrive within a few seconds is delayed. */
  async close(): Promise<void> {
    this.#pool.close()
    const timer = this.#clock.setTimeout(() => this.#over.abort(), CLOSING_MS)
    await Promise.allSettled(this.#sending)
    this.#clock.clearTimeout(timer)
  }
}

function poolOf({ url, stepMs = STEP_MS }: MailServerOptions) {
  const place = readSmtpUrl(url)
  if (place === null) throw new Error(`SMTP_URL: wanted ${SMTP_URL_WANTED}`)
  const { host, port, tls, auth, ca } = place
  return createTransport({
    pool: true,
    host,
    port,
    secure: tls === 'from the start',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(auth !== null && { auth }),
    tls: { minVersion: 'TLSv1.2', ...(ca !== null && { ca: readFileSync(ca, 'utf8') }) },
    maxConnections: CONNECTIONS,
    idleTimeout: IDLE_MS,
    // Whoever wrote the mail tries again, and says so.
    maxRequeues: 0,
    dnsTimeout: stepMs,
    connectionTimeout: stepMs,
    greetingTimeout: stepMs,
    socketTimeout: stepMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}

/**
 * What a server says for good of this recipient or this text, it will say again. What it says for good of us (a wrong
 * password, a sender that it does not let us be) changes as soon as somebody sees to the settings.
 */
function judged(error: unknown): MailRefused | MailDelayed {
  const { command, responseCode = 0 } = error as { command?: string; responseCode?: number } // nodemailer's errors
  const words = String(error instanceof Error ? error.message : error)
    .replaceAll(/\p{Cc}+/gu, ' ')
    .slice(0, WORDS_MAX)
  const isOfTheMail = command === 'RCPT TO' || command === 'DATA'
  return isOfTheMail && responseCode >= 500
    ? new MailRefused(words, { cause: error })
    : new MailDelayed(words, { cause: error })
}
