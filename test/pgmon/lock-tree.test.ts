/** The tree of those that wait for each other, whoever waits for whom. */
import * as fc from 'fast-check'
import t from 'tap'
import type { Session, Waiting } from '../../src/pgmon/activity/forms.js'
import { type Knot, LEVELS_MAX, PLACES_MAX, treeOf } from '../../src/pgmon/activity/tree.js'

/** Each pid, and whom it waits for. */
type Waits = readonly (readonly [pid: number, blockers: readonly number[]])[]

t.test('who waits stands below whom it waits for', async t => {
  for (const [what, waits, lines] of [
    ['nobody waits', [[1, []]], []],
    [
      'one for another',
      [
        [1, []],
        [2, [1]],
      ],
      ['1', '  2'],
    ],
    [
      'a chain',
      [
        [1, []],
        [2, [1]],
        [3, [2]],
      ],
      ['1', '  2', '    3'],
    ],
    [
      'two for one, the larger tree first',
      [
        [9, []],
        [8, [9]],
        [1, []],
        [2, [1]],
        [3, [1]],
      ],
      ['1', '  2', '  3', '9', '  8'],
    ],
    [
      'one for two',
      [
        [1, []],
        [2, []],
        [3, [1, 2]],
        [4, [3]],
      ],
      ['1', '  3', '    4', '2', '  3 again'],
    ],
    [
      'a queue',
      [
        [1, []],
        [2, [1]],
        [3, [1, 2]],
        [4, [1, 2, 3]],
      ],
      ['1', '  2', '    3 again', '    4 again', '  3', '    4 again', '  4'],
    ],
    [
      'a circle',
      [
        [1, [2]],
        [2, [1]],
      ],
      ['1', '  2'],
    ],
    [
      'a circle that somebody holds up',
      [
        [1, []],
        [2, [1, 3]],
        [3, [2]],
      ],
      ['1', '  2', '    3'],
    ],
    [
      'for one that is gone meanwhile',
      [
        [2, [1]],
        [3, [2]],
      ],
      ['2', '  3'],
    ],
    ['for itself', [[1, [1]]], ['1']],
  ] as const satisfies readonly (readonly [string, Waits, readonly string[]])[])
    t.same(drawn(treeOf(knotsOf(waits)).tree), lines, what)
})

t.test('who has waited longest comes first', async t => {
  const knots = knotsOf([
    [1, []],
    [2, [1]],
    [3, [1]],
  ]).map(knot => ({ ...knot, waited_s: knot.session.pid }))
  t.same(drawn(treeOf(knots).tree), ['1', '  3', '  2'])
})

t.test('everyone who waits has a place, in a tree of bounded size', async () => {
  const waits = fc
    .nat(60)
    .chain(count =>
      fc.tuple(
        ...Array.from({ length: count }, (_, pid) =>
          fc.tuple(
            fc.constant(pid),
            fc.oneof(fc.constant<number[]>([]), fc.array(fc.nat(65), { maxLength: 8 })),
          ),
        ),
      ),
    )
  fc.assert(
    fc.property(waits, given => {
      const { tree, leftOut } = treeOf(knotsOf(given))
      const places = placesOf(tree)
      const firsts = places
        .filter(({ waiting }) => !waiting.is_repeated)
        .map(({ waiting }) => waiting.session.pid)
      hold('nobody has two first places', new Set(firsts).size === firsts.length)
      hold('nobody is left out', leftOut === 0)
      for (const [pid, blockers] of given)
        if (blockers.length > 0) hold(`${pid} has a place`, firsts.includes(pid))
      for (const { waiting, way } of places) {
        const blockers = given.find(([pid]) => pid === waiting.session.pid)?.[1] ?? []
        hold('it stands below one that it waits for', way.length === 0 || blockers.includes(way.at(-1) ?? -1))
        hold('no circle is told', !way.includes(waiting.session.pid))
        hold('what is repeated is told once', !waiting.is_repeated || waiting.waiting.length === 0)
      }
      for (const [pid, blockers] of given)
        for (const blocker of blockers) {
          const first = places.find(
            place => place.waiting.session.pid === blocker && !place.waiting.is_repeated,
          )
          if (
            first === undefined ||
            pid === blocker ||
            first.way.includes(pid) ||
            first.way.length + 1 === LEVELS_MAX
          )
            continue
          hold(
            `${pid} is below ${blocker}`,
            first.waiting.waiting.some(waiting => waiting.session.pid === pid),
          )
        }
    }),
    { numRuns: 300 },
  )
})

t.test('what is too much for a tree is counted', async t => {
  const crowd = treeOf(knotsOf(waitsOf(3_001, pid => (pid === 0 ? [] : [0]))))
  t.equal(placesOf(crowd.tree).length, PLACES_MAX)
  t.equal(crowd.leftOut, 3_001 - PLACES_MAX)

  const queue = treeOf(knotsOf(waitsOf(300, pid => Array.from({ length: pid }, (_, before) => before))))
  t.equal(placesOf(queue.tree).length, PLACES_MAX)
  t.equal(queue.leftOut, 0, 'what is repeated takes nobody’s place')

  const chain = treeOf(knotsOf(waitsOf(100, pid => (pid === 0 ? [] : [pid - 1]))))
  t.equal(chain.leftOut, 0)
  t.equal(Math.max(...placesOf(chain.tree).map(({ way }) => way.length + 1)), LEVELS_MAX)
  t.same(
    chain.tree.map(({ session }) => session.pid),
    [0, LEVELS_MAX, 2 * LEVELS_MAX, 3 * LEVELS_MAX],
    'what is too deep begins anew',
  )
})

function waitsOf(count: number, blockersOf: (pid: number) => readonly number[]): Waits {
  return Array.from({ length: count }, (_, pid) => [pid, blockersOf(pid)] as const)
}

function knotsOf(waits: Waits): readonly Knot[] {
  return waits.map(([pid, blockers]) => ({ session: sessionOf(pid), lock: null, waited_s: null, blockers }))
}

function sessionOf(pid: number): Session {
  return {
    pid,
    database: 'shop',
    user: 'app',
    application: null,
    client: null,
    kind: 'client backend',
    state: 'active',
    wait: null,
    started_at: null,
    transaction_s: null,
    query_s: null,
    query: null,
    blocked_by: [],
    is_ours: false,
  }
}

interface Place {
  readonly waiting: Waiting
  /** Pids of those above it. */
  readonly way: readonly number[]
}

function placesOf(tree: readonly Waiting[], way: readonly number[] = []): readonly Place[] {
  return tree.flatMap(waiting => [
    { waiting, way },
    ...placesOf(waiting.waiting, [...way, waiting.session.pid]),
  ])
}

function drawn(tree: readonly Waiting[]): readonly string[] {
  return placesOf(tree).map(
    ({ waiting, way }) =>
      `${'  '.repeat(way.length)}${waiting.session.pid}${waiting.is_repeated ? ' again' : ''}`,
  )
}

function hold(what: string, isSo: boolean): void {
  if (!isSo) throw new Error(`not so: ${what}`)
}
