/** Bytes are charged once: whatever is told how often, in what order, and whoever is killed in between. */
import * as fc from 'fast-check'
import t from 'tap'
import { beyond, type Reading, Sources } from '../../src/access/entitlements/sources.js'

const told = (totalBytes: number, more: Partial<Reading> = {}): Reading => ({
  source: 'path 1',
  peerId: 1,
  accountId: 'acc_1',
  totalBytes,
  endedAtMs: null,
  ...more,
})

/** A database that keeps what is charged of each source, as charging.ts does. */
class Books {
  charged = 0
  readonly #stored = new Map<string, number>()

  /** Writes all that waits; when the answer is lost, the writer does not learn of it. Returns what became of what was new. */
  write(sources: Sources, isAnswerLost = false, onlyUnknown = false): number {
    let pending = 0
    for (const each of sources.next(1_000, onlyUnknown)) {
      const before = this.#stored.get(each.source) ?? 0
      const now = Math.max(before, each.totalBytes)
      this.charged += beyond(each.totalBytes, before)
      this.#stored.set(each.source, now)
      if (!isAnswerLost) pending += sources.saved(each, now)
    }
    return pending
  }
}

t.test('what is new acts before it is written, once it is known what was charged before', t => {
  const books = new Books()
  const sources = new Sources()
  t.equal(sources.tell(told(100)), 0, 'some of it may be charged already')
  t.ok(sources.areUnknown)
  t.equal(sources.tell(told(130)), 0)
  books.write(sources)
  t.equal(books.charged, 130)
  t.equal(sources.tell(told(150)), 20)
  t.equal(sources.tell(told(140)), 0, 'an older word')
  t.equal(sources.tell(told(150)), 0)
  t.equal(sources.unsaved, 1)
  books.write(sources)
  t.equal(books.charged, 150)
  t.equal(sources.unsaved, 0)
  sources.tell(told(160, { endedAtMs: 5 }))
  books.write(sources)
  t.equal(sources.tell(told(160, { endedAtMs: 5 })), 0, 'it was forgotten, and is asked for again')
  books.write(sources)
  t.equal(books.charged, 160)
  t.end()
})

t.test('what was told while it was written is known to be new', t => {
  const sources = new Sources()
  sources.tell(told(100))
  const [written] = sources.next(10, false)
  t.equal(sources.tell(told(107)), 0)
  t.equal(sources.saved(written as Reading, 100), 7) // there is one
  t.equal(sources.tell(told(110)), 3)
  t.match(sources.next(10, false), [{ totalBytes: 110, chargedBytes: 100 }])
  t.end()
})

t.test('every byte of a path is charged once, whoever is killed and whatever answer is lost', t => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ path: fc.nat(2), more: fc.nat(1_000), by: fc.nat(1) }) },
    { weight: 1, arbitrary: fc.record({ path: fc.nat(2), older: fc.nat(1_000), by: fc.nat(1) }) },
    { weight: 3, arbitrary: fc.record({ write: fc.nat(1), lost: fc.boolean(), urgent: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ killed: fc.nat(1) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const books = new Books()
      const coordinators = [new Sources(), new Sources()]
      const totals = [0, 0, 0]
      const pending = [0, 0]
      const tell = (at: number, path: number, totalBytes: number, endedAtMs: number | null = null) => {
        const reading = told(totalBytes, { source: `path ${path}`, endedAtMs })
        pending[at] = (pending[at] ?? 0) + (coordinators[at]?.tell(reading) ?? 0)
      }
      const write = (at: number, isAnswerLost: boolean, onlyUnknown: boolean) => {
        pending[at] = (pending[at] ?? 0) + books.write(coordinators[at] as Sources, isAnswerLost, onlyUnknown)
      }
      for (const each of steps) {
        if ('more' in each)
          tell(each.by, each.path, (totals[each.path] = (totals[each.path] ?? 0) + each.more))
        else if ('older' in each) tell(each.by, each.path, Math.max(0, (totals[each.path] ?? 0) - each.older))
        else if ('killed' in each) {
          coordinators[each.killed] = new Sources()
          pending[each.killed] = 0
        } else write(each.write, each.lost, each.urgent)
        const sum = totals.reduce((all, one) => all + one, 0)
        if (books.charged > sum) throw new Error(`${books.charged} are charged of ${sum}`)
      }
      for (const [path, total] of totals.entries()) tell(0, path, total, 1)
      write(0, false, false)
      const sum = totals.reduce((all, one) => all + one, 0)
      if (books.charged !== sum) throw new Error(`${books.charged} are charged of ${sum}`)
      if (coordinators[0]?.unsaved !== 0 || pending[0] !== 0) throw new Error(`${pending[0]} are left`)
    }),
    { numRuns: 3_000 },
  )
  t.end()
})
