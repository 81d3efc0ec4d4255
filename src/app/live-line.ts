/**
 * How a running agent shows how it is: one line. On a terminal it is rewritten in place; elsewhere each change
 * is a line of its own, and with `--json` an object of its own. What is worth a remark goes to the error output.
 */
import { Ring } from '../kit/ring.js'
import type { LinkStatus, MeshAgentStatus } from '../agent/index.js'

export interface Moment {
  /** What changes rarely: who, where, which path. A change of it is a change to report. */
  readonly text: string
  /** What moves all the time: round trip, bytes. */
  readonly figures: string
  /** Everything, for programs. */
  readonly data: object
}

export interface LiveLineOptions {
  readonly json: boolean
  readonly out?: Output
  readonly err?: Output
}

export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** A terminal that does not tell its width says 0. */
const USUAL_COLUMNS = 80
/** Remarks that are kept, and characters of each. */
const NOTES = 100
const NOTE_MAX = 400
const REWRITE = '\r\u001b[K'

export class LiveLine {
  readonly #json: boolean
  readonly #out: Output
  readonly #err: Output
  readonly #live: boolean
  readonly #notes = new Ring<string>(NOTES)
  #text = ''
  #line = ''

  constructor({ json, out = process.stdout, err = process.stderr }: LiveLineOptions) {
    this.#json = json
    this.#out = out
    this.#err = err
    this.#live = !json && out.isTTY === true
  }

  show({ text, figures, data }: Moment): void {
    const changed = text !== this.#text
    this.#text = text
    if (this.#live) this.#rewrite(figures === '' ? text : `${text}  ${figures}`)
    else if (changed) this.#out.write(`${this.#json ? JSON.stringify(data) : text}\n`)
  }

  /** A remark; the live line stays below it. */
  note(text: string): void {
    this.#notes.push(text.slice(0, NOTE_MAX))
    this.#err.write(`${this.#line === '' ? '' : REWRITE}${text}\n`)
    if (this.#line !== '') this.#out.write(this.#line)
  }

  /** The last remarks, the oldest first. */
  get notes(): readonly string[] {
    return this.#notes.values()
  }

  /** Leaves the last line standing. */
  end(): void {
    if (this.#line !== '') this.#out.write('\n')
    this.#line = ''
  }

  #rewrite(line: string): void {
    // A line that wraps cannot be rewritten.
    const fitting = line.slice(0, (this.#out.columns || USUAL_COLUMNS) - 1)
    if (fitting === this.#line) return
    this.#line = fitting
    this.#out.write(`${REWRITE}${fitting}`)
  }
}

/** Returns what to say of an agent that is not online. */
export function awayText(
  { state, reason, refusal }: Pick<MeshAgentStatus, 'state' | 'reason' | 'refusal'>,
  url: string,
): string {
  if (state === 'refused') return `refused: ${reason}`
  if (refusal?.retryInMs != null) return `${reason}; trying again in ${asWait(refusal.retryInMs)}`
  const { host } = new URL(url)
  return reason === FIRST_TRY ? `connecting to ${host}` : `no connection to ${host} (${reason}), trying again`
}

/** Why an agent is not online that has just been started. */
const FIRST_TRY = 'stopped'

/** Returns a wait as people read it: a minute or two in seconds, more in minutes. */
const asWait = (ms: number): string =>
  ms <= 120_000 ? `${Math.ceil(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`

/** Returns how a link travels, and when not directly why: `direct`, `direct by wireguard`, `relayed (symmetric_both)`. */
export function pathText(link: LinkStatus | null): string {
  if (link === null) return 'opening'
  const { state, via, reason } = link
  if (state === 'direct' && via === 'wireguard') return 'direct by wireguard'
  // At first there is always the same reason, and it passes.
  return reason === null || reason === 'starting' ? state : `${state} (${reason})`
}

/** Returns an amount of bytes as people read it: `340 kB`, `1.2 MB`. */
export function asBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000
    unit++
  }
  return `${value < 9.95 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

/** Returns a round trip as people read it; unknown is nothing. */
export const asMs = (ms: number | null): string =>
  ms === null ? '' : `${ms < 9.95 ? ms.toFixed(1) : Math.round(ms)} ms`
