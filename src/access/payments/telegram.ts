/**
 * A Telegram bot that sells. Telegram delivers the bot's updates here (`setWebhook` with a `secret_token`), and whatever
 * there is to say is said in the answer, so that nothing of ours calls Telegram:
 *
 *   create ─→ t.me/bot?start=pay_17_…        what the payer opens
 *   message "/start pay_17_…"  ─→ sendInvoice
 *   pre_checkout_query         ─→ answerPreCheckoutQuery: still wanted, and so much?
 *   message.successful_payment ─→ completed
 *   message.refunded_payment   ─→ refunded
 *
 * A bot of one's own may do the talking instead, and pass on those updates as they are.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { conflict, HttpError } from '../../http/faults.js'
import { jsonOf } from './json-body.js'
import { amountOf, isSameAmount, smallestUnits } from './money.js'
import type { Delivery, Desk, Invoice, NextStep, Order, PaymentProvider } from './payment-provider.js'

export interface TelegramOptions {
  /** PAYMENT_TELEGRAM_BOT: its name, without the @. */
  readonly bot: string | null
  /** PAYMENT_TELEGRAM_SECRET, the `secret_token` of `setWebhook`, and the one before. */
  readonly secrets: readonly string[]
  /** PAYMENT_TELEGRAM_PROVIDER_TOKEN, of a bank; null: stars only. */
  readonly providerToken: string | null
  /** Sign what goes round by way of Telegram: the first signs, each verifies. */
  readonly keys: readonly Uint8Array[]
}

export const TELEGRAM_HEADER = 'x-telegram-bot-api-secret-token'
/** Telegram's stars. */
const STARS = 'XTR'
/** What Telegram takes of a title and of a description, characters. */
const TITLE_MAX = 32
const DESCRIPTION_MAX = 255
/** Hex digits of the mark behind a number: nobody guesses which payments there are. */
const MARK = 16

const money = {
  currency: z.string().max(8),
  total_amount: z.int().nonnegative(),
  invoice_payload: z.string().max(128),
}
const Charge = z.object({ ...money, telegram_payment_charge_id: z.string().min(1).max(255) })
/** Of an update, as much as concerns us. */
export const TelegramUpdate = z
  .object({
    update_id: z.int(),
    message: z
      .object({
        chat: z.object({ id: z.int() }),
        text: z.string().optional(),
        successful_payment: Charge.optional(),
        refunded_payment: Charge.optional(),
      })
      .optional(),
    pre_checkout_query: z.object({ id: z.string().max(255), ...money }).optional(),
  })
  .meta({ id: 'TelegramUpdate', description: 'https://core.telegram.org/bots/api#update' })

export class TelegramProvider implements PaymentProvider {
  readonly name = 'telegram'
  readonly lacks: string | null
  readonly #options: TelegramOptions

  constructor(options: TelegramOptions) {
    this.#options = options
    this.lacks =
      options.bot === null
        ? 'PAYMENT_TELEGRAM_BOT'
        : options.secrets.length === 0
          ? 'PAYMENT_TELEGRAM_SECRET'
          : null
  }

  next(order: Order): NextStep {
    const { payload, currency } = this.#invoice(order)
    if (currency !== STARS && this.#options.providerToken === null)
      throw conflict(
        `Telegram takes ${currency} here only with PAYMENT_TELEGRAM_PROVIDER_TOKEN; ${STARS} it takes always`,
      )
    return {
      text: 'Open the bot, press start, and pay the invoice that it sends.',
      url: `https://t.me/${this.#options.bot}?start=${payload}`,
      invoice: this.#invoice(order),
    }
  }

  async receive({ body, headers }: Delivery, desk: Desk): Promise<object> {
    this.#mustBeTelegram(headers.get(TELEGRAM_HEADER))
    const { data, error } = TelegramUpdate.safeParse(jsonOf(body))
    if (data === undefined) throw new HttpError(400, 'not_understood', z.prettifyError(error))
    const { message, pre_checkout_query: question } = data
    if (question !== undefined) return await this.#checkOut(question, desk)
    if (message?.successful_payment !== undefined)
      return await this.#settle('successful_payment', message.successful_payment, desk)
    if (message?.refunded_payment !== undefined)
      return await this.#settle('refunded_payment', message.refunded_payment, desk)
    const asked = /^\/start(?:@\w+)? (\S+)$/.exec(message?.text ?? '')?.[1]
    if (message !== undefined && asked !== undefined) return await this.#ask(message.chat.id, asked, desk)
    // Whatever else people write to a bot.
    return {}
  }

  /** Returns the call that sends the invoice of the payment that a link named. */
  async #ask(chatId: number, asked: string, desk: Desk): Promise<object> {
    const paymentId = this.#numberOf(asked)
    const order = paymentId === null ? null : await desk.order(paymentId)
    if (order?.status !== 'pending')
      return {
        method: 'sendMessage',
        chat_id: chatId,
        text: 'There is nothing to pay by this link any more.',
      }
    const { providerToken } = this.#options
    const invoice = this.#invoice(order)
    return {
      method: 'sendInvoice',
      chat_id: chatId,
      ...invoice,
      provider_token: invoice.currency === STARS ? '' : (providerToken ?? ''),
    }
  }

  /** Returns the call that says whether the money may be taken. Telegram waits ten seconds for it. */
  async #checkOut(question: PreCheckout, desk: Desk): Promise<object> {
    const { id, currency, total_amount, invoice_payload } = question
    const paymentId = this.#numberOf(invoice_payload)
    const order = paymentId === null ? null : await desk.order(paymentId)
    const isRight =
      order !== null &&
      order.currency === currency &&
      isSameAmount(order.amount, amountOf(total_amount, currency))
    const answer = { method: 'answerPreCheckoutQuery', pre_checkout_query_id: id }
    if (isRight && order.status === 'pending') return { ...answer, ok: true }
    const error_message =
      order?.status === 'completed'
        ? 'This is paid already.'
        : 'This invoice is not good any more. Please ask for another one.'
    return { ...answer, ok: false, error_message }
  }

  async #settle(
    kind: 'successful_payment' | 'refunded_payment',
    { currency, total_amount, invoice_payload, telegram_payment_charge_id: charge }: z.output<typeof Charge>,
    desk: Desk,
  ): Promise<object> {
    await desk.settle({
      provider: 'telegram',
      // By the charge, not by the update: a bot that passes it on may number updates anew.
      eventId: `${kind} ${charge}`,
      kind,
      does: kind === 'successful_payment' ? 'complete' : 'refund',
      paymentId: this.#numberOf(invoice_payload),
      providerPaymentId: charge,
      money: { amount: amountOf(total_amount, currency), currency },
    })
    return {}
  }

  #invoice({ paymentId, amount, currency, tariff, days }: Order): Invoice {
    const units = smallestUnits(amount, currency)
    if (units === null) throw conflict(`${amount} ${currency}: Telegram takes whole ${currency} only`)
    const title = tariff.slice(0, TITLE_MAX)
    return {
      title,
      description: `${tariff}, ${days} days`.slice(0, DESCRIPTION_MAX),
      payload: this.#payload(paymentId),
      currency,
      prices: [{ label: title, amount: units }],
    }
  }

  #payload(paymentId: number): string {
    const [key = new Uint8Array()] = this.#options.keys
    return `pay_${paymentId}_${mark(key, paymentId)}`
  }

  /** Returns the payment that a payload of ours stands for; null when it is none. */
  #numberOf(payload: string): number | null {
    const [, number = '', given = ''] = /^pay_(\d{1,15})_([0-9a-f]{16})$/.exec(payload) ?? []
    const isOurs = this.#options.keys.some(key => isSame(given, mark(key, Number(number))))
    return isOurs ? Number(number) : null
  }

  #mustBeTelegram(given: string | undefined): void {
    if (given === undefined)
      throw new HttpError(400, 'signature_missing', `wanted the header ${TELEGRAM_HEADER}`)
    // All of them are looked at: how long it takes tells nothing.
    const right = this.#options.secrets.filter(secret => isSame(given, secret))
    if (right.length === 0) throw new HttpError(400, 'signature_wrong', 'this is not PAYMENT_TELEGRAM_SECRET')
  }
}

type PreCheckout = NonNullable<z.output<typeof TelegramUpdate>['pre_checkout_query']>

const mark = (key: Uint8Array, paymentId: number): string =>
  createHmac('sha256', key).update(`payment ${paymentId}`).digest('hex').slice(0, MARK)

const isSame = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other))

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
