/**
 * The history beside a plain model that keeps every sample: whatever is written, sent again, late or cleared out at any
 * moments, what is told of a time is the same.
 */
import { rmSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import type { RestDatabase } from '../../src/rest/database.js'
import { type FigureName, isCounter, placed, placeOf, type Sample } from '../../src/rest/history/figures.js'
import { HistoryTable } from '../../src/rest/history/history-table.js'
import {
  beginOf,
  DAY_MS,
  HOUR_MS,
  type Interval,
  INTERVALS,
  LENGTH_MS,
  MINUTE_MS,
  piecesOf,
  type Span,
} from '../../src/rest/history/intervals.js'
import { MIGRATIONS } from '../../src/rest/migrations/index.js'
import { openStore } from '../../src/store/index.js'
import { shortFolder } from '../support/short-folder.js'

const BEGAN_MS = Date.UTC(2026, 0, 1)
const ENDED_MS = BEGAN_MS + 3 * DAY_MS
const WATCHED = ['cpuTotalPct', 'wgBytesSent'] as const satisfies readonly FigureName[]

interface Told {
  readonly source: 'session' | 'metrics'
  readonly atMs: number
  readonly cpuTotalPct: number | null
  readonly wgBytesSent: number | null
}
type Step =
  | { readonly kind: 'write'; readonly samples: readonly Told[] }
  /** Samples are cleared out up to here; minutes and hours as far again. */
  | { readonly kind: 'prune'; readonly beforeMs: number }

const told = fc.record({
  source: fc.constantFrom('session' as const, 'metrics' as const),
  // Few moments, so that some come twice.
  atMs: fc
    .integer({ min: 0, max: 3 * 24 * 12 - 1 })
    .map(fiveMinutes => BEGAN_MS + fiveMinutes * 5 * MINUTE_MS),
  cpuTotalPct: fc.option(fc.nat(100)),
  wgBytesSent: fc.option(fc.nat(1_000)),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('write' as const), samples: fc.array(told, { maxLength: 12 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('prune' as const), beforeMs: told.map(({ atMs }) => atMs) }),
  },
)
const span = fc
  .tuple(fc.integer({ min: 0, max: 3 * 24 * 60 }), fc.integer({ min: 1, max: 3 * 24 * 60 }))
  .map(([from, length]) => ({
    fromMs: BEGAN_MS + from * MINUTE_MS,
    toMs: BEGAN_MS + (from + length) * MINUTE_MS,
  }))

t.test('any samples in any order, cleared out at any moments, add up as if all were kept', async t => {
  const dataDir = shortFolder()
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const store = await openStore({ dataDir, overlay4: '10.77.0.0/16', overlay6: 'fd77:b050::/64' })
  t.teardown(() => store.close())
  const table = new HistoryTable(await store.room<RestDatabase>('rest', MIGRATIONS))
  let runs = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), span, async (steps, span) => {
      const id = `node-${runs++}`
      const model = new Model()
      const kept = { sample: BEGAN_MS, minute: BEGAN_MS, hour: BEGAN_MS, day: 0 }
      for (const step of steps) {
        if (step.kind === 'prune') {
          kept.sample = Math.max(kept.sample, step.beforeMs)
          kept.minute = Math.max(kept.minute, beginOf('minute', kept.sample - HOUR_MS))
          kept.hour = Math.max(kept.hour, beginOf('hour', kept.sample - DAY_MS))
          while (await table.prune(kept, 3));
          continue
        }
        const samples = step.samples
          .filter(({ atMs }) => atMs >= kept.sample)
          .map(({ source, atMs, ...figures }): Sample => ({ id, source, atMs, figures: placed(figures) }))
        model.write(samples)
        await table.write(samples)
      }
      for (const interval of INTERVALS) {
        const whole = { fromMs: Math.max(kept[interval], BEGAN_MS), toMs: ENDED_MS }
        t.same(await tableTotal(table, id, [{ interval, ...whole }]), model.total(interval, whole))
      }
      const pieces = piecesOf(span, kept)
      const within = {
        fromMs: Math.min(...pieces.map(({ fromMs }) => fromMs)),
        toMs: Math.max(...pieces.map(({ toMs }) => toMs)),
      }
      t.ok(within.fromMs <= span.fromMs && within.toMs >= span.toMs, 'nothing that was asked for is left out')
      t.same(await tableTotal(table, id, pieces), model.total('minute', within))
    }),
    { numRuns: 60 },
  )
})

t.test('the pieces of a time are whole intervals that follow each other', async t => {
  fc.assert(
    fc.property(span, fc.nat(3 * 24 * 60), fc.nat(3 * 24), (span, minutes, hours) => {
      const kept = { minute: BEGAN_MS + minutes * MINUTE_MS, hour: BEGAN_MS + hours * HOUR_MS, day: 0 }
      const pieces = piecesOf(span, kept)
      for (const [i, { interval, fromMs, toMs }] of pieces.entries()) {
        t.equal(fromMs % LENGTH_MS[interval], 0)
        t.equal(toMs % LENGTH_MS[interval], 0)
        t.ok(fromMs < toMs)
        if (i > 0) t.equal(fromMs, pieces[i - 1]?.toMs)
      }
      t.ok(pieces.length <= 5)
    }),
    { numRuns: 100 },
  )
})

interface Total {
  readonly samples: number
  readonly figures: readonly (readonly [count: number, sum: number, min: number | null, max: number | null])[]
}

async function tableTotal(
  table: HistoryTable,
  id: string,
  pieces: readonly (Span & { readonly interval: Interval })[],
): Promise<Total> {
  const { samples, counts, sums, mins, maxs } = await table.total(id, pieces)
  const places = WATCHED.map(placeOf)
  return {
    samples,
    figures: places.map(place => [
      counts[place] ?? 0,
      sums[place] ?? 0,
      mins[place] ?? null,
      maxs[place] ?? null,
    ]),
  }
}

/** Every sample as it is counted, and nothing else. */
class Model {
  readonly #counted = new Map<string, { atMs: number; figures: readonly (number | null)[] }>()
  readonly #last = new Map<string, { atMs: number; sent: number | null }>()

  write(samples: readonly Sample[]): void {
    const once = new Map(samples.map(sample => [`${sample.source} ${sample.atMs}`, sample]))
    const fresh = [...once].filter(([key]) => !this.#counted.has(key))
    for (const [key, { source, atMs, figures }] of fresh.sort(([, a], [, b]) => a.atMs - b.atMs)) {
      const last = this.#last.get(source)
      const isNewest = last === undefined || atMs > last.atMs
      const values = WATCHED.map(name => {
        const value = figures[placeOf(name)] ?? null
        if (value === null || !isCounter(placeOf(name))) return value
        if (!isNewest || last === undefined || last.sent === null) return null
        return value < last.sent ? value : value - last.sent
      })
      this.#counted.set(key, { atMs, figures: values })
      const sent = figures[placeOf('wgBytesSent')] ?? last?.sent ?? null
      if (isNewest) this.#last.set(source, { atMs, sent })
    }
  }

  /** Of whole intervals. */
  total(interval: Interval, { fromMs, toMs }: Span): Total {
    const counted = [...this.#counted.values()].filter(({ atMs }) => {
      const beganMs = beginOf(interval, atMs)
      return beganMs >= fromMs && beganMs < toMs
    })
    return {
      samples: counted.length,
      figures: WATCHED.map((_, i) => {
        const values = counted.flatMap(({ figures }) => figures[i] ?? [])
        return [
          values.length,
          values.reduce((sum, value) => sum + value, 0),
          values.length === 0 ? null : Math.min(...values),
          values.length === 0 ? null : Math.max(...values),
        ] as const
      }),
    }
  }
}
