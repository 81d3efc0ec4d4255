/**
 * A page that changes while somebody looks at it. On a terminal it is drawn in place, as large as the terminal is, and
 * the last one is left standing at the end; elsewhere each change is a block of its own, and with `--json` a line.
 *
 *   ┌ terminal ────────────────┐
 *   │ the page, cut to fit     │   a screen of its own, so that nothing scrolls; rewritten line by line,
 *   │ …                        │   so that nothing flickers
 *   │ the remark, if there is  │
 *   └──────────────────────────┘
 */
import type { Output } from './live-line.js'

export interface PageOutput extends Output {
  readonly rows?: number
  on?(event: 'resize', hear: () => void): unknown
  off?(event: 'resize', hear: () => void): unknown
}

export interface LivePageOptions {
  readonly json: boolean
  /** Stands in the last line while there is no remark. */
  readonly hint: string
  readonly out?: PageOutput
  readonly err?: Output
}

/** A terminal that does not tell its size says 0. */
const USUAL_COLUMNS = 80
const USUAL_ROWS = 24

const OPEN = '\u001b[?1049h\u001b[?25l'
const CLOSE = '\u001b[?25h\u001b[?1049l'
/** Terminals that know it show what is between at once; the others do not mind. */
const [BEGIN, DONE] = ['\u001b[?2026h', '\u001b[?2026l']
const HOME = '\u001b[H'
const TO_END_OF_LINE = '\u001b[K'
const TO_END = '\u001b[J'
const [DIM, PLAIN] = ['\u001b[2m', '\u001b[22m']

export class LivePage {
  readonly #options: Required<LivePageOptions>
  readonly #live: boolean
  #text = ''
  #data = ''
  #remark: string | null = null
  #drawn = ''
  #isOpen = false

  constructor(options: LivePageOptions) {
    this.#options = { out: process.stdout, err: process.stderr, ...options }
    this.#live = !options.json && this.#options.out.isTTY === true
  }

  /** Shows a page; `data` is the same for programs. */
  show(text: string, data: unknown): void {
    const { json, out } = this.#options
    this.#remark = null
    const line = json ? JSON.stringify(data) : ''
    const changed = json ? line !== this.#data : text !== this.#text
    const isFirst = this.#text === ''
    this.#text = text
    this.#data = line
    if (this.#live) this.#draw()
    else if (changed) out.write(json ? `${line}\n` : `${isFirst ? '' : '\n'}${text}\n`)
  }

  /** A remark that holds until the next page. */
  note(text: string): void {
    if (this.#remark === text) return
    this.#remark = text
    if (this.#live) this.#draw()
    else this.#options.err.write(`${text}\n`)
  }

  /** Gives the terminal back, with the last page as it is. */
  end(): void {
    if (!this.#isOpen) return
    const { out } = this.#options
    this.#isOpen = false
    out.off?.('resize', this.#draw)
    out.write(`${CLOSE}${this.#text}\n`)
  }

  readonly #draw = (): void => {
    const { out } = this.#options
    if (!this.#isOpen) {
      this.#isOpen = true
      out.on?.('resize', this.#draw)
      out.write(OPEN)
    }
    const drawn = this.#screen(out.columns || USUAL_COLUMNS, out.rows || USUAL_ROWS)
    if (drawn === this.#drawn) return
    this.#drawn = drawn
    out.write(`${BEGIN}${HOME}${drawn}${TO_END}${DONE}`)
  }

  #screen(columns: number, rows: number): string {
    const lines = this.#text.split('\n')
    const room = rows - 1
    const hidden = lines.length - room
    const shown = hidden > 0 ? [...lines.slice(0, room - 1), `… ${hidden + 1} more lines`] : lines
    const fill = Array.from({ length: room - shown.length }, () => '')
    // What is cut loses no more than what did not fit: a line that wraps would push the others off.
    const cut = (line: string) => Array.from(line).slice(0, columns).join('')
    const last = this.#remark ?? `${DIM}${cut(this.#options.hint)}${PLAIN}`
    return [...shown, ...fill].map(line => `${cut(line)}${TO_END_OF_LINE}\n`).join('') + last + TO_END_OF_LINE
  }
}
