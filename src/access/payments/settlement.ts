/**
 * Settles payments, whoever tells of them, each event once: that it came, what became of the payment, what was granted, the
 * peer that it needs and the mail about it are one transaction. What was acknowledged is done, and what is not done is
 * told again by the provider.
 *
 *   event ─→ payment_events (unique) ─→ the charge and the payment held ─→ verdict.ts
 *                                               └─ completed: subscription, peer, mail ─ refunded: taken back
 */
import { sql, type Transaction } from 'kysely'
import type { PluginHost } from '../../app/plugin.js'
import { HttpError } from '../../http/faults.js'
import type { Room } from '../../store/rooms.js'
import type { Outbox } from '../mail/outbox.js'
import type { Peers, Subscriptions } from '../ports.js'
import type { AccessTables } from '../tables.js'
import type { PaymentCounts } from './figures.js'
import { ALARMING_OUTCOMES, type Outcome, type PaymentEvent } from './payment-provider.js'
import type { PaymentRow } from './payments.js'
import { receipt } from './receipt.js'
import { held, ownerOfCharge, type Settled, toldBefore } from './told.js'
import { type Verdict, verdictOn } from './verdict.js'

type Tx = Transaction<AccessTables>

export interface SettlementOptions extends Pick<PluginHost, 'clock' | 'log'> {
  readonly room: Room<AccessTables>
  readonly subscriptions: Pick<Subscriptions, 'grant' | 'withdraw'>
  readonly peers: Pick<Peers, 'ensure'>
  readonly outbox: Pick<Outbox, 'write'>
  readonly audit: PluginHost['audit']
  readonly counts: PaymentCounts
  /** A payment was settled, or taken back: whoever follows from it may look. */
  readonly settled: (accountId: string) => void
}

/** Who settles, beside the provider. */
export interface By {
  /** As the audit tells it. */
  readonly actor: string
  /** What an operator had to say. */
  readonly note?: string
}

/** Somebody should look into these: there is money that is not where it should be. */
const ALARMING: ReadonlySet<Outcome> = new Set(ALARMING_OUTCOMES)

export class Settlement {
  readonly #options: SettlementOptions
  /** Events that are being settled: whoever brings one of them again at this moment waits for the same. */
  readonly #underWay = new Map<string, Promise<Settled>>()

  constructor(options: SettlementOptions) {
    this.#options = options
  }

  /** Resolves with what came of an event, once that is durable. `by`: an operator. */
  settle(event: PaymentEvent, by?: By): Promise<Settled> {
    const key = `${event.provider} ${event.eventId}`
    let settling = this.#underWay.get(key)
    if (settling === undefined) {
      settling = this.#settleOnce(event, by).finally(() => this.#underWay.delete(key))
      this.#underWay.set(key, settling)
    }
    return settling
  }

  async #settleOnce(event: PaymentEvent, by: By | undefined): Promise<Settled> {
    const { room } = this.#options
    // Most of what comes again comes later: it costs one look.
    const before = await room.ask(db => toldBefore(db, event))
    if (before !== undefined) return before
    const { payment, isNew, ...settled } = await room.transact(tx => this.#settle(tx, event, by))
    if (isNew) this.#tell(event, settled, payment, by)
    return settled
  }

  async #settle(
    tx: Tx,
    event: PaymentEvent,
    by: By | undefined,
  ): Promise<Settled & { readonly isNew: boolean; readonly payment: PaymentRow | null }> {
    const { clock } = this.#options
    const now = new Date(clock.wallMs())
    const taken = await tx
      .insertInto('payment_events')
      .values({
        provider: event.provider,
        event_id: event.eventId,
        payment_id: null,
        kind: event.kind,
        outcome: 'ignored',
        note: null,
        received_at: now,
      })
      // Waits for whoever settles the same event at this moment.
      .onConflict(conflicting => conflicting.doNothing())
      .returning('event_id')
      .executeTakeFirst()
    if (taken === undefined) {
      const { outcome, note } = (await toldBefore(tx, event)) ?? { outcome: 'unchanged', note: null }
      return { outcome, note, isNew: false, payment: null }
    }
    const payment = event.does === null ? null : await held(tx, event)
    const verdict = await this.#verdict(tx, event, payment)
    const note =
      payment === null
        ? verdict.note
        : ((await this.#apply(tx, payment, event, verdict, by, now)) ?? verdict.note)
    await tx
      .updateTable('payment_events')
      .set({
        payment_id: payment?.payment_id ?? null,
        outcome: verdict.outcome,
        note: note ?? by?.note ?? null,
      })
      .where('provider', '=', event.provider)
      .where('event_id', '=', event.eventId)
      .execute()
    return { outcome: verdict.outcome, note, isNew: true, payment }
  }

  async #verdict(tx: Tx, event: PaymentEvent, payment: PaymentRow | null): Promise<Verdict> {
    if (event.does === null) return { outcome: 'ignored', note: null }
    if (payment === null) return { outcome: 'unknown_payment', note: nameOf(event) }
    const owner = await ownerOfCharge(tx, event)
    if (owner !== null && owner !== payment.payment_id)
      return { outcome: 'mismatch', note: `charge ${event.providerPaymentId} is of payment ${owner}` }
    return verdictOn(
      {
        provider: payment.provider,
        status: payment.status,
        providerPaymentId: payment.provider_payment_id,
        amount: payment.amount,
        currency: payment.currency,
      },
      event,
    )
  }

  /** Makes a verdict so; resolves with what was not as expected. */
  async #apply(
    tx: Tx,
    payment: PaymentRow,
    event: PaymentEvent,
    { outcome }: Verdict,
    by: By | undefined,
    now: Date,
  ): Promise<string | null> {
    if (outcome !== 'completed' && outcome !== 'failed' && outcome !== 'refunded') return null
    const { subscriptions } = this.#options
    const { payment_id, account_id, tariff_id, status, subscription_id } = payment
    const actor = `payment ${payment_id}`
    let subscriptionId = subscription_id
    let trouble: string | null = null
    if (outcome === 'completed') {
      const granted = await subscriptions.grant(tx, { accountId: account_id, tariffId: tariff_id, by: actor })
      subscriptionId = granted.subscriptionId
      trouble = await this.#ensurePeer(tx, payment, actor)
      await this.#mail(tx, payment, granted.endsAtMs)
    }
    if (outcome === 'refunded' && status === 'completed' && subscription_id !== null)
      await subscriptions.withdraw(tx, { subscriptionId: subscription_id, tariffId: tariff_id, by: actor })
    await tx
      .updateTable('payments')
      .set({
        status: outcome,
        changed_at: now,
        subscription_id: subscriptionId,
        ...(outcome !== 'failed' &&
          event.providerPaymentId !== null && { provider_payment_id: event.providerPaymentId }),
        ...(by?.note !== undefined && { note: by.note }),
      })
      .where('payment_id', '=', payment_id)
      .execute()
    return trouble
  }

  /** What is paid is granted, even where no peer can be made: then somebody has to see to it, who is told why. */
  async #ensurePeer(tx: Tx, { account_id, public_key }: PaymentRow, by: string): Promise<string | null> {
    await sql`savepoint peer`.execute(tx)
    try {
      await this.#options.peers.ensure(tx, {
        accountId: account_id,
        publicKey: public_key,
        name: 'first',
        by,
      })
      return null
    } catch (error) {
      // Only what is refused for good: what passes is told again, whole.
      if (!(error instanceof HttpError) || error.statusCode >= 500) throw error
      await sql`rollback to savepoint peer`.execute(tx)
      return `no peer: ${error.message}`
    }
  }

  async #mail(tx: Tx, payment: PaymentRow, endsAtMs: number): Promise<void> {
    const { name } = await tx
      .selectFrom('accounts')
      .select('name')
      .where('account_id', '=', payment.account_id)
      .executeTakeFirstOrThrow()
    // A name need not be an address.
    if (!name.includes('@')) return
    const tariff = await tx
      .selectFrom('tariffs')
      .select('name')
      .where('tariff_id', '=', payment.tariff_id)
      .executeTakeFirstOrThrow()
    await this.#options.outbox.write(tx, receipt({ to: name, tariff: tariff.name, payment, endsAtMs }))
  }

  /** What follows once it is durable. Whoever missed it by a crash finds it in the database. */
  #tell(
    event: PaymentEvent,
    { outcome, note }: Settled,
    payment: PaymentRow | null,
    by: By | undefined,
  ): void {
    const { audit, log, counts, settled } = this.#options
    counts.event(event.provider, outcome)
    if (outcome === 'ignored' || outcome === 'unchanged') return
    const said = note ?? by?.note
    audit({
      kind: `payment.${outcome}`,
      actor: by?.actor ?? event.provider,
      subject: payment === null ? nameOf(event) : `payment ${payment.payment_id}`,
      detail: { event: event.eventId, ...(said !== undefined && said !== null && { note: said }) },
    })
    if (ALARMING.has(outcome))
      log.warn(
        { outcome, note, provider: event.provider, eventId: event.eventId },
        'a payment is not as it should be',
      )
    else if (note !== null) log.warn({ note, paymentId: payment?.payment_id }, 'a payment has no peer')
    if (payment === null || (outcome !== 'completed' && outcome !== 'failed' && outcome !== 'refunded'))
      return
    counts.became(payment.provider, outcome)
    settled(payment.account_id)
  }
}

const nameOf = ({ provider, paymentId, providerPaymentId }: PaymentEvent): string =>
  paymentId === null ? `${provider} payment ${providerPaymentId ?? 'without a name'}` : `payment ${paymentId}`
