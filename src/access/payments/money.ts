/** Decimal money, exactly: text on the wire and in the database, whole hundredths in between, never a float. */

/** At most twelve digits before the point, as the database has them; zeros behind the second digit say nothing. */
const DECIMAL = /^(0|[1-9]\d{0,11})(?:\.(\d{1,2})0{0,8})?$/

/** Returns an amount in hundredths, or null when the text is none: `9.9`, `9.90` and `9.900` are one and the same. */
export function hundredthsOf(amount: string): bigint | null {
  const [, whole, fraction = ''] = DECIMAL.exec(amount) ?? []
  return whole === undefined ? null : BigInt(whole) * 100n + BigInt(fraction.padEnd(2, '0'))
}

export const isSameAmount = (one: string, other: string): boolean => {
  const hundredths = hundredthsOf(one)
  return hundredths !== null && hundredths === hundredthsOf(other)
}

/**
 * Currencies that Telegram counts whole, its stars among them (core.telegram.org/bots/payments/currencies.json, `exp` 0);
 * all others that it takes have hundredths.
 */
const WHOLE = new Set(['XTR', 'CLP', 'ISK', 'JPY', 'KRW', 'PYG', 'UGX', 'VND'])

/** Returns an amount in the smallest units of its currency, or null when it has smaller parts than there are. */
export function smallestUnits(amount: string, currency: string): number | null {
  const hundredths = hundredthsOf(amount)
  if (hundredths === null) return null
  if (!WHOLE.has(currency)) return Number(hundredths)
  return hundredths % 100n === 0n ? Number(hundredths / 100n) : null
}

/** Returns what so many of the smallest units are: a whole number, not negative. */
export function amountOf(units: number, currency: string): string {
  const hundredths = BigInt(units) * (WHOLE.has(currency) ? 100n : 1n)
  return `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, '0')}`
}
