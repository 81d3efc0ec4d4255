/** Work on keys, one after another, each in a thread of its own: whoever waits for a core is not the mesh. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { badRequest, unavailable } from '../../http/faults.js'
import type { KeyAnswer, KeyOrder } from './key-orders.js'
import type { KeyParts } from './key-parts.js'
import { NO_KEY, pemBlock } from './pem-block.js'

/** Who comes when so many wait would wait a minute. */
const WAITING_MAX = 8
const RETRY_AFTER_S = 10

export class KeyWork {
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  /** Resolves with the parts of a key; rejects with a 400 when there is none in what was given, and a 503 when too many wait. */
  async do(order: KeyOrder): Promise<KeyParts> {
    // What has no key in it needs no thread.
    if (order.do === 'open' && pemBlock(order.text) === null) throw refused(NO_KEY)
    if (this.#waiting >= WAITING_MAX) throw unavailable('other keys are being made', RETRY_AFTER_S)
    this.#waiting++
    const mine = this.#last.then(() => answerTo(order))
    this.#last = mine.catch(() => undefined)
    try {
      const answer = await mine
      if ('key' in answer) return answer.key
      throw refused(answer.complaint)
    } finally {
      this.#waiting--
    }
  }

  /** Resolves when nothing is under way. */
  async stop(): Promise<void> {
    await this.#last
  }
}

const refused = (complaint: string) =>
  badRequest(`private_key: ${complaint}`, [{ at: 'private_key', message: complaint }])

async function answerTo(order: KeyOrder): Promise<KeyAnswer> {
  // What the process was started with makes a thread slow to begin, and is of no use in this one.
  const worker = new Worker(new URL('./key-thread.js', import.meta.url), { workerData: order, execArgv: [] })
  try {
    const [answer] = (await once(worker, 'message')) as [KeyAnswer] // it says nothing else
    return answer
  } finally {
    await worker.terminate()
  }
}
