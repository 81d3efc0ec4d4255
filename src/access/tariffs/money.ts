/**
 * Money: decimal text with two places, `9.90`, from the request to the database and back. It is never counted with as a
 * number. JSON numbers are taken too, as the first VPN API did: their shortest spelling is what was sent.
 */
import { z } from 'zod'

const error = 'wanted an amount such as "9.90", with at most two decimals'
/** As many digits as the column has. */
const MONEY = /^(0|[1-9]\d{0,11})(?:\.(\d{1,2}))?$/

export const money = z
  .union([z.string(), z.number()], { error })
  .transform((given, context) => {
    const amount = moneyOf(String(given))
    if (amount !== null) return amount
    context.addIssue({ code: 'custom', message: error })
    return z.NEVER
  })
  .meta({ example: '9.90' })

/** Money as it is answered. */
export const Money = z.string().meta({ description: 'Decimal, with two places.', example: '9.90' })

const aCurrency = { error: 'wanted three capital letters such as EUR' }
/** ISO 4217, or what a provider has in its place. */
export const currency = z
  .string(aCurrency)
  .regex(/^[A-Z]{3}$/, aCurrency)
  .meta({ example: 'EUR' })

/** Returns an amount as the database spells it; null when it is none. */
export function moneyOf(text: string): string | null {
  const [, whole, cents = ''] = MONEY.exec(text) ?? []
  return whole === undefined ? null : `${whole}.${cents.padEnd(2, '0')}`
}
