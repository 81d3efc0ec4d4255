/**
 * The last lines of the log, for whoever asks and whoever follows. What must not be written is not in them: they are
 * taken behind the logger, as it wrote them.
 *
 *   pino ─→ LogTail ─┬─→ standard output
 *                    ├─ a ring of the last lines, as text
 *                    └─ whoever follows; only then is a line read when it is written
 */
import { Ring } from '../kit/ring.js'
import { LEVELS } from '../protocol/operator-messages.js'

type Level = (typeof LEVELS)[number]

export interface LogLine {
  /** Counts the lines of this process. */
  readonly seq: number
  /** ms since 1970 UTC. */
  readonly atMs: number
  readonly level: Level
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface LogWish {
  /** These and those above. */
  readonly level: Level
  /** What is in the message or the fields, in any case. */
  readonly search?: string | undefined
}

/** Lines that are kept. */
const LINES = 1_000
/** Longer lines are kept without their fields, characters: none may fill the memory. */
const LINE_MAX = 8_192

interface Kept {
  readonly seq: number
  readonly text: string
}

export class LogTail {
  readonly #kept = new Ring<Kept>(LINES)
  readonly #hearers = new Map<(line: LogLine) => void, LogWish>()
  #seq = 0

  /** Takes a line as the logger wrote it. */
  take(text: string): void {
    const kept = { seq: ++this.#seq, text: text.length > LINE_MAX ? shortened(text) : text }
    this.#kept.push(kept)
    if (this.#hearers.size === 0) return
    const line = lineOf(kept)
    for (const [hear, wish] of this.#hearers) if (line !== null && meets(line, wish)) hear(line)
  }

  /** Returns the newest `limit` lines after number `after` that meet the wish, the oldest first. */
  lines(wish: LogWish, limit: number, after = 0): readonly LogLine[] {
    const found: LogLine[] = []
    for (const kept of this.#kept.values().reverse()) {
      if (kept.seq <= after || found.length === limit) break
      const line = lineOf(kept)
      if (line !== null && meets(line, wish)) found.push(line)
    }
    return found.reverse()
  }

  /** Calls `hear` with each line that meets the wish from now on; returns what ends it. `hear` must not log. */
  follow(wish: LogWish, hear: (line: LogLine) => void): () => void {
    this.#hearers.set(hear, wish)
    return () => this.#hearers.delete(hear)
  }
}

function lineOf({ seq, text }: Kept): LogLine | null {
  try {
    const { level, time, msg, ...fields } = JSON.parse(text) as Record<string, unknown> // the logger writes objects
    const atMs = typeof time === 'number' ? time : Date.parse(String(time))
    return { seq, atMs, level: nameOf(level), message: typeof msg === 'string' ? msg : '', fields }
  } catch {
    return null
  }
}

/** Of terminals’ lines the level is a number: 10 is the first name, 20 the second. */
const nameOf = (level: unknown): Level =>
  typeof level === 'number'
    ? (LEVELS[level / 10 - 1] ?? 'fatal')
    : (LEVELS.find(name => name === level) ?? 'fatal')

function meets(line: LogLine, { level, search }: LogWish): boolean {
  if (LEVELS.indexOf(line.level) < LEVELS.indexOf(level)) return false
  if (search === undefined) return true
  return `${line.message} ${JSON.stringify(line.fields)}`.toLowerCase().includes(search.toLowerCase())
}

function shortened(text: string): string {
  try {
    const { level, time, msg } = JSON.parse(text) as Record<string, unknown> // the logger writes objects
    return JSON.stringify({ level, time, msg: String(msg).slice(0, LINE_MAX / 2), characters: text.length })
  } catch {
    return '{}'
  }
}
