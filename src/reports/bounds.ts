/**
 * How many rows one agent may have: of its log lines and clients the newest stay. Counting rows costs as much as
 * reading them, so only agents that have stored many since the last look are looked at.
 */
import { sql } from 'kysely'
import type { Room } from '../store/index.js'
import { type Batch, OPERATOR } from './batch.js'
import type { ReportTables } from './tables.js'

/** Records that an agent may store between two looks. */
const UNSEEN_MAX = 1_000
/** Rows of one table that one look clears out, so that none takes long. */
const ROWS = 5_000

export class Bounds {
  readonly #room: Room<ReportTables>
  readonly #rowsMax: number
  /** Records of each agent since the last look. */
  readonly #unseen = new Map<string, number>()

  constructor(room: Room<ReportTables>, rowsMax: number) {
    this.#room = room
    this.#rowsMax = rowsMax
  }

  /** A batch was stored. */
  stored({ reporter, clients, logs }: Batch): void {
    // The operator speaks for many.
    if (reporter === OPERATOR) return
    this.#unseen.set(reporter, (this.#unseen.get(reporter) ?? 0) + clients.length + logs.length)
  }

  /** Clears out what agents have beyond their rows. */
  async hold(): Promise<void> {
    for (const [reporter, records] of this.#unseen) {
      if (records < UNSEEN_MAX) continue
      this.#unseen.delete(reporter)
      const isLeft = await this.#cut(reporter)
      if (isLeft) this.#unseen.set(reporter, UNSEEN_MAX)
    }
  }

  /** Returns whether there may be more to clear out. */
  async #cut(reporter: string): Promise<boolean> {
    const cuts = [
      sql`delete from report_logs where ctid = any(array(
        select ctid from report_logs where reporter = ${reporter}
        order by at desc, id desc offset ${this.#rowsMax} limit ${ROWS}
      ))`,
      sql`delete from report_clients where ctid = any(array(
        select ctid from report_clients where reporter = ${reporter}
        order by last_seen desc, id desc offset ${this.#rowsMax} limit ${ROWS}
      ))`,
    ]
    let isLeft = false
    for (const each of cuts) {
      const { numAffectedRows } = await this.#room.ask(db => each.execute(db))
      isLeft ||= numAffectedRows === BigInt(ROWS)
    }
    return isLeft
  }
}
