import t from 'tap'
import { until } from '../support/until.js'
import { KINDS, matrixLab, rounds, tryMatrix } from './matrix.js'
import { cannotRun } from './namespaces.js'
import { NatMesh } from './nat-mesh.js'
import { asGrid, asTable } from './outcomes.js'
import type { Outcome, Trial } from './trial.js'

const skip = cannotRun()
const why = skip === false ? '' : ` (${skip})`

/** All rounds of all kinds, on a busy machine, ms. */
t.setTimeout(400_000)

/** Ports that nobody can foresee change nothing; with `NETLAB=all` that is tried as well. */
const OPTIONS = process.env['NETLAB'] === 'all' ? ['', ',remap'] : ['']

/** NATs with another port for each destination, and those that let in only ports that were written to. */
const MOVES = new Set(['sym', 'port+sym'])
const STRICT = new Set(['port', 'port+port', ...MOVES])

type Settled = Pick<Outcome, 'tier' | 'reason'>

/** What there is to gain by leaving the relay, by the nature of NATs. */
function allowed(a: string, b: string): Settled {
  if (a === 'block' || b === 'block') return { tier: 'relay', reason: 'udp_blocked' }
  if (MOVES.has(a) && MOVES.has(b)) return { tier: 'turn', reason: 'symmetric_both' }
  if ((MOVES.has(a) && STRICT.has(b)) || (STRICT.has(a) && MOVES.has(b)))
    return { tier: 'turn', reason: 'symmetric_restricted' }
  return { tier: 'direct', reason: null }
}

/**
 * The agents prefer a way that is quicker: where the cores are busy, whichever they look at may be slow, an attempt may
 * run out of time, and through TURN a packet meets as many machines as on the relay. Such pairs come to less than
 * there is to gain, and say so; on a quiet machine there is none.
 */
function isShort({ tier, reason }: Settled, wanted: Settled): boolean {
  return GAIN[tier] < GAIN[wanted.tier] && (reason === wanted.reason || SHORT.has(reason))
}
const GAIN = { relay: 0, turn: 1, direct: 2 }
const SHORT = new Set<string | null>(['starting', 'slower', 'punch_timeout', 'direct_lost'])
/** Of 36 pairs. */
const SHORT_MAX = 18

/**
 * Pings that the way to the best tier may cost, 2.5 s of them. It is one or two; but eight pairs start at once, and
 * where the cores are busy WireGuard notices late that its peer has heard it.
 */
const LOST_BY_UPGRADE = 250
/** Pings that may be lost until silence is noticed, 10 s of them. It is two; a busy machine looks late. */
const LOST_BY_CUT = 1_000

/**
 * Why a path whose UDP was cut is on the relay: it went silent, an attempt since then found nobody, or, where the cores are
 * busy, it was given up as slower just before.
 */
const CUT: readonly (string | null)[] = ['direct_lost', 'udp_blocked', 'punch_timeout', 'slower']

t.test('rounds bring each pair together once', async t => {
  for (const count of [1, 2, 5, 8]) {
    const pairs = rounds(count).flat()
    const all = (count * (count + 1)) / 2
    t.equal(new Set(pairs.map(pair => `${Math.min(...pair)} ${Math.max(...pair)}`)).size, all)
    t.equal(pairs.length, all)
  }
})

for (const option of OPTIONS)
  t.test(
    `every pair of NATs${option} talks at once, and leaves the relay where it can${why}`,
    { skip },
    async t => {
      const mesh = await NatMesh.make(matrixLab(KINDS, option))
      t.teardown(() => mesh.remove())
      const outcomes: Outcome[] = []
      const cuts: string[] = []
      let short = 0

      /** Takes UDP from a client whose path is off the relay: the relay carries again. */
      async function cut({ hosts: [, client], ping, outcome: { a, b, reason } }: Trial): Promise<void> {
        const last = ping.replies.at(-1)?.seq
        await mesh.lab.cut(client, 'udp')
        const cutAtS = Date.now() / 1_000
        const backAtS = await ping.flows(cutAtS + 0.1)
        const { sent, lost } = ping.count(last)
        const path = await until(`${a} and ${b} are on the relay`, async () => {
          const now = await mesh.path(client)
          return now?.tier === 'relayed' && now
        })
        await mesh.lab.heal(client)
        const backMs = Math.round((backAtS - cutAtS) * 1_000)
        cuts.push(`${a} and ${b}: back after ${backMs} ms, ${lost} of ${sent} lost`)
        t.ok(lost <= LOST_BY_CUT, `${a} and ${b}: ${lost} lost when UDP was cut`)
        t.ok([...CUT, reason].includes(path.reason), `${a} and ${b}: ${path.reason} when UDP was cut`)
      }

      await tryMatrix(mesh, async trial => {
        const { outcome } = trial
        const [a = '', b = ''] = [outcome.a, outcome.b].map(each => each.replace(option, ''))
        const { tier, lost, sent } = outcome
        outcomes.push({ ...outcome, a, b })
        if (isShort(outcome, allowed(a, b))) short++
        else t.match(outcome, allowed(a, b), `${a} and ${b}`)
        if (lost > 0) t.comment(`${a} and ${b}: ${JSON.stringify([trial.ping.gaps(), trial.path.history])}`)
        t.ok(lost <= LOST_BY_UPGRADE, `${a} and ${b}: ${lost} of ${sent} lost on the way to ${tier}`)
        if (tier !== 'relay') await cut(trial)
      })
      t.ok(short <= SHORT_MAX, `${short} came to less than their NATs allow`)
      for (const text of [asTable(outcomes), asGrid(KINDS, outcomes), ...cuts]) t.comment(text)
    },
  )
