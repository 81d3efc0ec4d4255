/**
 * What this agent has taken from its machine, on disk before it is taken. Whatever ends the agent, what is in
 * the ledger can be given back: by `giveBackAll` at a regular end, else by the next start.
 *
 *   take(x):  written and synced → x changed on the machine
 *   end:      changed back, newest first → removed from the file
 */
import { closeSync, fsyncSync, openSync, readFileSync, readlinkSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { SystemError } from './errors.js'
import { giveBack, outlivesBoot, type Taken } from './taken.js'
import type { Run } from './run.js'

interface Page {
  /** The machine's boot and network namespace: what was taken in another one is gone, or out of reach. */
  readonly boot: string
  readonly network: string
  readonly taken: readonly Taken[]
}

export class Ledger {
  readonly #file: string
  readonly #run: Run
  readonly #where = { boot: bootId(), network: networkNamespace() }
  #taken: readonly Taken[] = []

  private constructor(file: string, run: Run) {
    this.#file = file
    this.#run = run
  }

  /** Opens the ledger at `file` and gives back what an agent that died has left. */
  static async open(file: string, run: Run): Promise<{ ledger: Ledger; recovered: readonly Taken[] }> {
    const ledger = new Ledger(file, run)
    const page = readPage(file)
    if (page === null) return { ledger, recovered: [] }
    const here = page.boot === ledger.#where.boot && page.network === ledger.#where.network
    const recovered = page.taken.filter(each => here || outlivesBoot(each))
    ledger.#taken = recovered
    await ledger.giveBackAll()
    return { ledger, recovered }
  }

  /**
   * Writes `taken` down, then makes the change, which is one step: when it fails, nothing was taken, and what
   * is there belongs to someone else. Only a change without an answer stays written down.
   */
  async take(taken: Taken | readonly Taken[], change: () => void | Promise<unknown>): Promise<void> {
    const added = [taken].flat()
    this.#write([...this.#taken, ...added])
    try {
      await change()
    } catch (error) {
      if (!(error instanceof SystemError && error.code === 'command_timed_out')) this.#forget(added)
      throw error
    }
  }

  async giveBack(taken: Taken): Promise<void> {
    await giveBack(taken, this.#run)
    this.#forget([taken])
  }

  /** Gives everything back, newest first. What cannot be is kept in the file, and the first reason is thrown. */
  async giveBackAll(): Promise<void> {
    const failed: unknown[] = []
    for (const taken of [...this.#taken].reverse()) {
      await this.giveBack(taken).catch((error: unknown) => failed.push(error))
    }
    if (failed.length > 0) throw failed[0]
  }

  #forget(gone: readonly Taken[]): void {
    this.#write(this.#taken.filter(each => !gone.includes(each)))
  }

  #write(taken: readonly Taken[]): void {
    const page: Page = { ...this.#where, taken }
    const beside = `${this.#file}.new`
    const file = openSync(beside, 'w', 0o600)
    try {
      writeSync(file, JSON.stringify(page))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(beside, this.#file)
    const folder = openSync(dirname(this.#file), 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
    this.#taken = taken
  }
}

function readPage(file: string): Page | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Page // written by `#write` alone, and renamed whole
  } catch {
    return null
  }
}

const bootId = (): string =>
  readOr('/proc/sys/kernel/random/boot_id', path => readFileSync(path, 'utf8').trim())
const networkNamespace = (): string => readOr('/proc/self/ns/net', path => readlinkSync(path))

function readOr(path: string, read: (path: string) => string): string {
  try {
    return read(path)
  } catch {
    return ''
  }
}
