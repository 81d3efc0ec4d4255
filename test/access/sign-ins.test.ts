/** Refresh tokens against a model: whatever is tried in whatever order, only the newest token of a living sign-in is good. */
import fc from 'fast-check'
import t from 'tap'
import { Accounts } from '../../src/access/accounts/accounts.js'
import { MIGRATIONS } from '../../src/access/migrations.js'
import { SignIns } from '../../src/access/accounts/sign-ins.js'
import type { AccessTables } from '../../src/access/tables.js'
import { TIMING } from '../../src/access/accounts/timing.js'
import { systemRandom } from '../../src/kit/random.js'
import { openStore, type Room } from '../../src/store/index.js'
import { shortFolder } from '../support/short-folder.js'
import { SimulatedClock } from '../support/simulated-clock.js'

const DAY_MS = 86_400_000

/** What a sign-in is by the model. */
interface Family {
  readonly signInId: string
  /** Every token that there was, the newest last. */
  readonly tokens: string[]
  readonly bornMs: number
  /** It is good for this long however idle. */
  readonly idleMs: number
  renewedMs: number
  hasEnded: boolean
}

const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('begin' as const), idleMs: fc.constantFrom(TIMING.idleMs, TIMING.signInMs) }),
    fc.record({ do: fc.constant('renew' as const), family: fc.nat(3), back: fc.nat(2) }),
    fc.record({ do: fc.constant('race' as const), family: fc.nat(3) }),
    fc.record({ do: fc.constant('end' as const), family: fc.nat(3) }),
    fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 30 }) }),
  ),
  { maxLength: 25 },
)

t.test('sign-ins', async t => {
  const dataDir = shortFolder()
  const store = await openStore({ dataDir, overlay4: '10.77.0.0/16', overlay6: 'fd77:b050::/64' })
  t.teardown(() => store.close())
  const room = await store.room<AccessTables>('access', MIGRATIONS)

  await t.test('of all refresh tokens, only the newest of a living sign-in is good, once', () =>
    ofAllTokens(room),
  )

  await t.test('P-12: sign-ins are remembered for 90 days', async t => {
    const clock = new SimulatedClock()
    const accounts = new Accounts({ room, clock, random: systemRandom })
    const signIns = new SignIns({ room, clock, random: systemRandom })
    const account = await accounts.create({ name: 'ada', role: 'viewer', passwordHash: '' })
    await signIns.begin(account, '192.0.2.1')
    const left = async () => (await signIns.list({ limit: 10, nameKey: 'ada' })).total
    clock.advance(90 * DAY_MS)
    await signIns.tidy()
    t.equal(await left(), 1)
    clock.advance(1)
    await signIns.tidy()
    t.equal(await left(), 0)
  })
})

async function ofAllTokens(room: Room<AccessTables>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(steps, async plan => {
      const clock = new SimulatedClock()
      const accounts = new Accounts({ room, clock, random: systemRandom })
      const signIns = new SignIns({ room, clock, random: systemRandom })
      const name = `a${Buffer.from(systemRandom.bytes(8)).toString('hex')}`
      const account = await accounts.create({ name, role: 'viewer', passwordHash: '' })
      const families: Family[] = []
      const isGood = ({ hasEnded, bornMs, idleMs, renewedMs }: Family) =>
        !hasEnded &&
        clock.wallMs() <
          Math.max(bornMs + idleMs, Math.min(renewedMs + TIMING.idleMs, bornMs + TIMING.signInMs))

      for (const step of plan) {
        if (step.do === 'wait') clock.advance(step.hours * 3_600_000)
        if (step.do === 'begin') {
          const begun = await signIns.begin(account, '192.0.2.1', step.idleMs)
          if (begun === null) throw new Error('the account is there')
          const nowMs = clock.wallMs()
          families.push({
            signInId: begun.signInId,
            tokens: [begun.refreshToken],
            bornMs: nowMs,
            idleMs: step.idleMs,
            renewedMs: nowMs,
            hasEnded: false,
          })
        }
        const family = 'family' in step ? families[step.family] : undefined
        if (family === undefined) continue
        const newest = family.tokens.at(-1) ?? ''
        if (step.do === 'end') {
          await signIns.end(family.signInId)
          family.hasEnded = true
        }
        if (step.do === 'renew') {
          const wasGood = isGood(family)
          const token = family.tokens.at(-1 - step.back) ?? newest
          const renewal = await signIns.renew(token)
          if (token === newest && wasGood) {
            if (renewal.outcome !== 'renewed') throw new Error(`wanted it renewed, got ${renewal.outcome}`)
            family.tokens.push(renewal.begun.refreshToken)
            family.renewedMs = clock.wallMs()
          } else {
            const wanted = token === newest ? 'over' : 'reused'
            if (renewal.outcome !== wanted) throw new Error(`wanted ${wanted}, got ${renewal.outcome}`)
            if (wanted === 'reused') family.hasEnded = true
          }
        }
        if (step.do === 'race') {
          const wasGood = isGood(family)
          const renewals = await Promise.all([1, 2, 3].map(() => signIns.renew(newest)))
          const renewed = renewals.filter(({ outcome }) => outcome === 'renewed')
          if (renewed.length !== Number(wasGood)) throw new Error(`${renewed.length} of three were renewed`)
          // The others had the token of before: that ends it.
          if (wasGood) family.hasEnded = true
          for (const renewal of renewed)
            if (renewal.outcome === 'renewed') family.tokens.push(renewal.begun.refreshToken)
        }
      }
    }),
    { numRuns: 20 },
  )
}

t.test('what is no refresh token of ours is over, without a question to the database', async t => {
  const room = { kind: 'pglite', ask: refuse, transact: refuse } as const
  const signIns = new SignIns({ room, clock: new SimulatedClock(), random: systemRandom })
  for (const token of [
    '',
    'bsr_',
    'bsr_x.y',
    `bsr_${'0'.repeat(32)}.${'a'.repeat(42)}`,
    `bsr_${'0'.repeat(32)}`,
  ])
    t.same(await signIns.renew(token), { outcome: 'over' }, token)
})

function refuse(): never {
  throw new Error('the database was asked')
}
