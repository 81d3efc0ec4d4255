/** Figures as people read them. Unknown is `–`, everywhere. */

export const UNKNOWN = '–'

type Maybe = number | null | undefined

const isKnown = (value: Maybe): value is number => typeof value === 'number' && Number.isFinite(value)

const GROUPED = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** 12345 → 12,345. */
export const count = (value: Maybe): string => (isKnown(value) ? GROUPED.format(value) : UNKNOWN)

/** Returns a figure with about three digits that matter. */
export function short(value: number): string {
  const size = Math.abs(value)
  if (size >= 100) return GROUPED.format(value)
  return size >= 10 ? value.toFixed(1) : value.toFixed(2).replace(/\.?0+$/, '')
}

const SCALE = ['', 'k', 'M', 'G', 'T', 'P'] as const

function scaled(value: number, unit: string): string {
  let step = 0
  let rest = value
  while (Math.abs(rest) >= 1000 && step < SCALE.length - 1) {
    rest /= 1000
    step++
  }
  return `${short(rest)} ${SCALE[step]}${unit}`
}

/** 1300 → 1.3 k: where there is little room, and the first digits say enough. */
export const compact = (value: Maybe): string =>
  isKnown(value) && Math.abs(value) >= 1000 ? scaled(value, '') : count(value)

/** 1300 → 1.3 kB; by thousands. */
export const bytes = (value: Maybe): string => (isKnown(value) ? scaled(value, 'B') : UNKNOWN)

/** Bits a second. */
export const bitRate = (value: Maybe): string => (isKnown(value) ? scaled(value, 'bit/s') : UNKNOWN)

export const ms = (value: Maybe): string => {
  if (!isKnown(value)) return UNKNOWN
  return value >= 10_000 ? duration(value) : `${short(value)} ms`
}

export const percent = (value: Maybe): string => (isKnown(value) ? `${short(value)} %` : UNKNOWN)

const STEPS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const

/** 3,725,000 ms → 1 h 2 min: the two largest units. */
export function duration(value: Maybe): string {
  if (!isKnown(value)) return UNKNOWN
  const at = STEPS.findIndex(([, size]) => value >= size)
  const large = STEPS[at]
  if (large === undefined) return `${Math.max(0, Math.round(value))} ms`
  const [unit, size] = large
  const whole = Math.floor(value / size)
  const next = STEPS[at + 1]
  const rest = next === undefined ? 0 : Math.floor((value % size) / next[1])
  return next === undefined || rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${next[0]}`
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

/** Time of day; with the day when it was not today. */
export function moment(atMs: Maybe, nowMs: number): string {
  if (!isKnown(atMs)) return UNKNOWN
  const at = new Date(atMs)
  const isToday = at.toDateString() === new Date(nowMs).toDateString()
  return isToday ? CLOCK.format(at) : `${DAY.format(at)} ${CLOCK.format(at)}`
}

/** Time of day to the millisecond. */
export const precise = (atMs: number): string =>
  `${CLOCK.format(atMs)}.${String(Math.floor(atMs) % 1000).padStart(3, '0')}`

/** 1 node, 2 nodes. */
export const plural = (value: number, noun: string): string =>
  `${count(value)} ${noun}${value === 1 ? '' : 's'}`
