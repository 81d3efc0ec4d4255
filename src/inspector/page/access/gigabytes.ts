/** Gigabytes as people type them, and bytes as the coordinator counts them: exactly, by thousands. */

const GB = 1_000_000_000

/** Returns the bytes of so many gigabytes, with at most three decimals; null when it is no such figure. */
export function bytesOf(gigabytes: string): number | null {
  const [, whole, fraction = ''] = /^(\d{1,7})(?:[.,](\d{1,3}))?$/.exec(gigabytes.trim()) ?? []
  return whole === undefined ? null : Number(whole) * GB + Number(fraction.padEnd(3, '0')) * 1_000_000
}

/** Returns bytes as they are typed; what is less than a megabyte is lost. */
export const gigabytesOf = (bytes: number): string => String(Math.round(bytes / 1_000_000) / 1000)
