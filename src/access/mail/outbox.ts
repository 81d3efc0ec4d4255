/**
 * Mail that is to leave: written in the transaction that it belongs to, sent afterwards, and tried again until it has left.
 * Texts are sealed, since they may let somebody in.
 */
import type { Selectable, Transaction } from 'kysely'
import type { Vault } from '../../app/plugin.js'
import type { Clock } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import { type Mail, MailRefused, type SendMail } from './mailer.js'
import type { AccessTables } from '../tables.js'

export interface OutboxOptions {
  readonly clock: Clock
  readonly room: Room<AccessTables>
  readonly vault: Vault
  readonly send: SendMail
  /** Hears of a mail that did not leave: it is tried again, or is refused for good. */
  readonly failed: (error: unknown, mailId: number, isOver: boolean) => void
}

type Row = Selectable<AccessTables['mails']>

export interface SentMail extends Omit<Row, 'body'> {
  /** null: the vault cannot open it any more. */
  readonly text: string | null
}

/** Nobody else takes a mail that is on its way, ms. */
const LEASE_MS = 60_000
/** The first wait after a failure, which doubles, and the longest, ms. */
const RETRY_FROM_MS = 10_000
const RETRY_MAX_MS = 3_600_000
/** What has not left by then is out of date; kept as long as what has, ms. */
const GIVEN_UP_MS = 86_400_000
const KEPT_MS = 7 * 86_400_000
/** At a time. */
const BATCH = 20

export class Outbox {
  readonly #options: OutboxOptions

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Writes a mail that leaves when the transaction holds. */
  async write(tx: Transaction<AccessTables>, { to, subject, text }: Mail): Promise<void> {
    const { clock, vault } = this.#options
    const now = new Date(clock.wallMs())
    await tx
      .insertInto('mails')
      .values({
        recipient: to,
        subject,
        body: vault.seal(text, placeOf(to)),
        created_at: now,
        due_at: now,
        attempts: 0,
        sent_at: null,
        error: null,
      })
      .execute()
  }

  /** Sends what is due. */
  async deliver(): Promise<void> {
    const { room, clock } = this.#options
    for (;;) {
      const now = clock.wallMs()
      const taken = await room.ask(db =>
        db
          .updateTable('mails')
          .set(({ eb }) => ({ due_at: new Date(now + LEASE_MS), attempts: eb('attempts', '+', 1) }))
          .where('mail_id', 'in', due =>
            due
              .selectFrom('mails')
              .select('mail_id')
              .where('sent_at', 'is', null)
              .where('refused_at', 'is', null)
              .where('due_at', '<=', new Date(now))
              .where('created_at', '>', new Date(now - GIVEN_UP_MS))
              .orderBy('mail_id')
              .limit(BATCH)
              .forUpdate()
              .skipLocked(),
          )
          .returningAll()
          .execute(),
      )
      // All at once: each has its time, and none waits for another one's until its lease is over.
      await Promise.all(taken.map(mail => this.#deliver(mail)))
      if (taken.length < BATCH) return
    }
  }

  /** Resolves with the newest mails. */
  async newest(limit: number): Promise<readonly SentMail[]> {
    const { room, vault } = this.#options
    const rows = await room.ask(db =>
      db.selectFrom('mails').selectAll().orderBy('mail_id', 'desc').limit(limit).execute(),
    )
    return rows.map(({ body, ...mail }) => ({ ...mail, text: vault.open(body, placeOf(mail.recipient)) }))
  }

  /** Forgets what is not kept any longer. */
  async tidy(): Promise<void> {
    const since = new Date(this.#options.clock.wallMs() - KEPT_MS)
    await this.#options.room.ask(db => db.deleteFrom('mails').where('created_at', '<', since).execute())
  }

  async #deliver({ mail_id, recipient, subject, body, attempts, created_at }: Row): Promise<void> {
    const { clock, send, vault, failed } = this.#options
    const text = vault.open(body, placeOf(recipient))
    try {
      if (text === null) throw new Error('it was sealed by another BOSON_VAULT_KEY')
      await send({ to: recipient, subject, text, id: `${mail_id}.${created_at.getTime()}` })
      await this.#set(mail_id, { sent_at: new Date(clock.wallMs()), error: null })
    } catch (error) {
      const isOver = error instanceof MailRefused
      failed(error, mail_id, isOver)
      const now = clock.wallMs()
      const restMs = Math.min(RETRY_MAX_MS, RETRY_FROM_MS * 2 ** (attempts - 1))
      await this.#set(mail_id, {
        ...(isOver ? { refused_at: new Date(now) } : { due_at: new Date(now + restMs) }),
        error: String(error).slice(0, 256),
      })
    }
  }

  async #set(
    mailId: number,
    values: Partial<Pick<Row, 'sent_at' | 'due_at' | 'refused_at'>> & Pick<Row, 'error'>,
  ): Promise<void> {
    await this.#options.room.ask(db =>
      db.updateTable('mails').set(values).where('mail_id', '=', mailId).execute(),
    )
  }
}

const placeOf = (recipient: string): string => `mail to ${recipient}`
