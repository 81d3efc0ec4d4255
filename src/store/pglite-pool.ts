/**
 * The embedded database behind the same pool as a server: one connection, given to one caller at a time, that
 * leads to a thread. Should that thread die, the next caller finds a new one, and the database recovers as it
 * does after a kill.
 */
import { Worker } from 'node:worker_threads'
import type { PostgresPool, PostgresPoolClient } from 'kysely'
import { boundedClient } from './bounded-client.js'
import { StoreUnavailable } from './errors.js'
import {
  type Answer,
  CLOSE,
  type CopyOrder,
  type PgliteThreadData,
  type Question,
  type Rows,
} from './pglite-messages.js'
import { within } from './within.js'

export interface PglitePoolOptions extends PgliteThreadData {
  /** How long one statement may take, and how long a caller waits for its turn, ms. */
  readonly queryTimeoutMs: number
}

/** Opening replays what a killed process left, or makes a database, ms. */
const OPEN_TIMEOUT_MS = 60_000
/** A copy of a large directory on a slow disk, ms. */
const COPY_TIMEOUT_MS = 600_000
/** For the last checkpoint, ms. */
const CLOSE_TIMEOUT_MS = 10_000

/** Opens the database in its directory; resolves when it answers. */
export async function pglitePool(options: PglitePoolOptions): Promise<PglitePool> {
  const pool = new PglitePool(options)
  await pool.opened()
  return pool
}

export class PglitePool implements PostgresPool {
  readonly options = {}
  readonly #options: PglitePoolOptions
  #thread: PgliteThread
  /** Resolves when the connection is free. */
  #turn: Promise<void> = Promise.resolve()

  constructor(options: PglitePoolOptions) {
    this.#options = options
    this.#thread = new PgliteThread(options)
  }

  async opened(): Promise<void> {
    await within(OPEN_TIMEOUT_MS, this.#thread.ready, () => tooSlow('open', OPEN_TIMEOUT_MS))
  }

  connect(): Promise<PostgresPoolClient> {
    return this.#connect(this.#options.queryTimeoutMs)
  }

  async end(): Promise<void> {
    await this.#thread.close()
  }

  /** Returns this pool as one whose statements may take longer; to end it ends nothing. */
  patient(queryTimeoutMs: number): PostgresPool {
    return { options: {}, connect: () => this.#connect(queryTimeoutMs), end: async () => {} }
  }

  /** Copies the directory to one that does not exist yet, as it is between two transactions; questions wait meanwhile. */
  async copy(to: string): Promise<void> {
    const { thread, release } = await this.#take(this.#options.queryTimeoutMs)
    try {
      await within(COPY_TIMEOUT_MS, thread.copy(to), () => tooSlow('copy itself', COPY_TIMEOUT_MS))
    } finally {
      release()
    }
  }

  async #connect(waitMs: number): Promise<PostgresPoolClient> {
    const { thread, release } = await this.#take(waitMs)
    return this.#client(thread, waitMs, release)
  }

  /** Resolves with the thread when nobody else has it. */
  async #take(waitMs: number): Promise<{ readonly thread: PgliteThread; readonly release: () => void }> {
    const free = this.#turn
    let release = () => {}
    this.#turn = new Promise(resolve => {
      release = resolve
    })
    try {
      await within(waitMs, free, () => tooSlow('become free', waitMs))
      if (this.#thread.ended) this.#thread = new PgliteThread(this.#options)
      await within(waitMs, this.#thread.ready, () => tooSlow('open', waitMs))
      return { thread: this.#thread, release }
    } catch (error) {
      // The place in the queue passes on when the one before it is done.
      void free.then(release)
      throw error
    }
  }

  #client(thread: PgliteThread, queryTimeoutMs: number, free: () => void): PostgresPoolClient {
    return boundedClient({
      ask: (sql, parameters) =>
        within(queryTimeoutMs, thread.ask(sql, parameters), () => tooSlow('answer', queryTimeoutMs)),
      isAnswer: error => !(error instanceof StoreUnavailable),
      release: broken => {
        // Questions are answered in order: what is still under way is undone before the next caller's first.
        if (broken) thread.ask('rollback', []).catch(() => {})
        free()
      },
    })
  }
}

interface Asked {
  readonly resolve: (rows: Rows) => void
  readonly reject: (error: Error) => void
}

/** The thread with the database in it, and the questions it has not answered. */
class PgliteThread {
  readonly ready: Promise<void>
  readonly #worker: Worker
  readonly #pending = new Map<number, Asked>()
  readonly #exited: Promise<void>
  #lastId = 0
  #ended: Error | undefined

  constructor({ dir }: PgliteThreadData) {
    const workerData: PgliteThreadData = { dir }
    this.#worker = new Worker(new URL('./pglite-thread.js', import.meta.url), { workerData })
    this.ready = new Promise((resolve, reject) => {
      this.#pending.set(0, { resolve: () => resolve(), reject })
    })
    this.ready.catch(() => {})
    this.#worker.on('message', (answer: Answer) => this.#hear(answer))
    this.#worker.on('error', error => this.#end(error))
    this.#exited = new Promise(resolve => {
      this.#worker.on('exit', () => {
        this.#end(new Error('its thread has ended'))
        resolve()
      })
    })
  }

  get ended(): boolean {
    return this.#ended !== undefined
  }

  ask(sql: string, parameters: readonly unknown[]): Promise<Rows> {
    return this.#say({ id: ++this.#lastId, sql, parameters })
  }

  async copy(to: string): Promise<void> {
    await this.#say({ id: ++this.#lastId, copyTo: to })
  }

  async close(): Promise<void> {
    this.#worker.postMessage(CLOSE)
    const late = () => tooSlow('close', CLOSE_TIMEOUT_MS)
    await within(CLOSE_TIMEOUT_MS, this.#exited, late).catch(() => this.#worker.terminate())
  }

  #say(question: Question | CopyOrder): Promise<Rows> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      this.#pending.set(question.id, { resolve, reject })
      this.#worker.postMessage(question)
    })
  }

  #hear(answer: Answer): void {
    const id = answer.kind === 'ready' ? 0 : answer.id
    const asked = this.#pending.get(id)
    this.#pending.delete(id)
    if (answer.kind === 'fault') asked?.reject(Object.assign(new Error(answer.fault.message), answer.fault))
    else asked?.resolve(answer.kind === 'rows' ? answer.rows : { command: '', rowCount: 0, rows: [] })
  }

  #end(cause: Error): void {
    this.#ended ??= new StoreUnavailable(`the embedded database has stopped: ${cause.message}`, { cause })
    for (const { reject } of this.#pending.values()) reject(this.#ended)
    this.#pending.clear()
  }
}

const tooSlow = (what: string, ms: number): StoreUnavailable =>
  new StoreUnavailable(`the embedded database did not ${what} within ${ms} ms; the machine is overloaded`)
