import t from 'tap'
import { type Look, Looks } from '../../src/inspector/live/looks.js'
import { SimulatedClock } from '../support/simulated-clock.js'

interface Costs {
  readonly everyMs?: number
  /** What it keeps the event loop busy with, at once and after waiting for something, ms. */
  readonly busyMs?: number
  readonly waitMs?: number
  readonly lateMs?: number
}

/** A look whose work makes time pass. */
class Worker implements Look {
  readonly everyMs: number
  readonly atMs: number[] = []
  behind = false
  over = false
  readonly #clock: SimulatedClock
  readonly #costs: Costs

  constructor(clock: SimulatedClock, costs: Costs) {
    this.#clock = clock
    this.#costs = costs
    this.everyMs = costs.everyMs ?? 1_000
  }

  isBehind(): boolean {
    return this.behind
  }

  async look(): Promise<number | null> {
    const { busyMs = 0, waitMs = 0, lateMs = 0 } = this.#costs
    this.atMs.push(Math.round(this.#clock.now()))
    this.#clock.advance(busyMs)
    if (waitMs > 0) await new Promise<void>(resolve => this.#clock.setTimeout(resolve, waitMs))
    this.#clock.advance(lateMs)
    return this.over ? null : lateMs
  }
}

function looking(...costs: readonly Costs[]) {
  const clock = new SimulatedClock()
  const looks = new Looks(clock)
  const workers = costs.map(each => new Worker(clock, each))
  for (const worker of workers) looks.begin(worker)
  return { clock, looks, workers }
}

t.test('what costs nothing is looked at as often as it was asked for', async t => {
  const { clock, workers } = looking({ everyMs: 1_000 }, { everyMs: 250 })
  await clock.run(2_100)
  t.same(
    workers.map(({ atMs }) => atMs),
    [
      [0, 1_000, 2_000],
      [0, 250, 500, 750, 1_000, 1_250, 1_500, 1_750, 2_000],
    ],
  )
})

t.test('what is dear rests for twenty times what it took', async t => {
  const { clock, workers } = looking({ everyMs: 100, busyMs: 40 })
  await clock.run(3_000)
  t.same(workers[0]?.atMs, [0, 840, 1_680, 2_520])
})

t.test('a slow database makes a watch slower, and half a minute is the longest', async t => {
  const { clock, workers } = looking({ waitMs: 500 }, { waitMs: 20_000 })
  await clock.run(60_000)
  t.same(workers[0]?.atMs.slice(0, 3), [0, 10_500, 21_000])
  t.same(workers[1]?.atMs, [0, 50_000])
})

t.test('all looks together take one part in twenty', async t => {
  const { clock, looks, workers } = looking(
    ...Array.from({ length: 64 }, () => ({ everyMs: 100, busyMs: 2 })),
  )
  await clock.run(1_000)
  const [looked, beganMs] = [looks.looked, clock.now()]
  await clock.run(20_000)
  const share = ((looks.looked - looked) * 2) / (clock.now() - beganMs)
  t.ok(share > 0.04 && share < 0.055, `${share}`)
  const counts = workers.map(({ atMs }) => atMs.length)
  t.ok(Math.max(...counts) - Math.min(...counts) <= 1, 'each has its turn')
})

t.test('what a look does after it waited counts as well', async t => {
  const { clock, looks } = looking({ everyMs: 100, waitMs: 5, lateMs: 30 })
  await clock.run(50)
  t.equal(looks.busyMs, 30)
})

t.test('nobody waits longer than two seconds for somebody else’s dear look', async t => {
  const { clock, workers } = looking({ everyMs: 60_000, busyMs: 1_000 }, { everyMs: 100 })
  await clock.run(3_500)
  t.same(workers[1]?.atMs.slice(0, 2), [1_000, 3_000])
})

t.test('who is behind is not looked for', async t => {
  const { clock, workers } = looking({ everyMs: 100 })
  const [worker] = workers
  if (worker === undefined) return
  worker.behind = true
  await clock.run(5_000)
  t.same(worker.atMs, [0])
  worker.behind = false
  await clock.run(1_100)
  t.ok(worker.atMs.length > 1)
})

t.test('what is forgotten, or over, is looked at no more', async t => {
  const { clock, looks, workers } = looking({ everyMs: 100 }, { everyMs: 100 }, { everyMs: 100, waitMs: 50 })
  const [forgotten, over, waiting] = workers
  if (forgotten === undefined || over === undefined || waiting === undefined) return
  looks.forget(waiting)
  await clock.run(350)
  looks.forget(forgotten)
  over.over = true
  await clock.run(1_000)
  t.same(forgotten.atMs, [0, 100, 200, 300])
  t.same(over.atMs, [0, 100, 200, 300, 400])
  t.same(waiting.atMs, [0])
  looks.stop()
  t.equal(clock.waiting, 0)
})
