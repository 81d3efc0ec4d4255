/**
 * Whatever two ends say about their path, in whatever order, lose and come back, the coordinator shows a way off the
 * relay only when both have won it, both are told what it shows, and the relay carries whenever it may.
 */
import fc from 'fast-check'
import t from 'tap'
import type { PathPolicy } from '../../src/mesh/path-policy.js'
import type { WireOf } from '../../src/protocol/messages.js'
import { numbered } from '../lab/hosts.js'
import { CREDENTIAL, Lab } from '../lab/lab.js'
import { countOf, lastOf } from '../support/pair.js'
import type { RawAgent } from '../support/raw-agent.js'
import { routed } from '../support/town.js'

const ENDS = ['client', 'node'] as const
type EndName = (typeof ENDS)[number]
const OUTCOMES = ['direct', 'turned', 'failed', 'lost'] as const

const end = fc.constantFrom(...ENDS)
const step = fc.oneof(
  fc.record({ what: fc.constant('ready'), end }),
  fc.record({ what: fc.constant('signal'), end, revision: fc.nat(5), address: fc.nat(3) }),
  fc.record({ what: fc.constant('report'), end, attempt: fc.nat(3), outcome: fc.constantFrom(...OUTCOMES) }),
  // What well-behaved ends say most often: how the newest attempt went, or the one before it.
  fc.record({
    what: fc.constant('answer'),
    ends: fc.constantFrom(ENDS, ['client'] as const, ['node'] as const),
    outcome: fc.constantFrom(...OUTCOMES),
  }),
  // Both say where they are, are asked, and win.
  fc.record({ what: fc.constant('win'), outcome: fc.constantFrom('direct' as const, 'turned' as const) }),
  fc.record({ what: fc.constant('resume'), end, repeats: fc.boolean() }),
  fc.record({ what: fc.constant('restart'), repeats: fc.tuple(fc.boolean(), fc.boolean()) }),
  fc.record({ what: fc.constant('time'), ms: fc.constantFrom(100, 1_500, 8_000, 40_000) }),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const policies = fc.constantFrom<readonly [PathPolicy, PathPolicy]>(
  ['auto', 'auto'],
  ['auto', 'auto'],
  ['relay-only', 'auto'],
  ['auto', 'direct-only'],
)

t.test('a path is shown off the relay only when both ends have won it', { timeout: 120_000 }, async t => {
  const play = async (wishes: readonly [PathPolicy, PathPolicy], steps: readonly Step[]) => {
    const world = await World.begun(wishes)
    for (const each of steps) {
      await world.perform(each)
      await world.check()
    }
    await world.end()
  }
  await fc.assert(fc.asyncProperty(policies, fc.array(step, { maxLength: 24 }), play), {
    seed: 3,
    numRuns: 120,
  })
  t.pass('120 stories')
})

class World {
  readonly #lab: Lab
  readonly #idleTimers: number
  readonly #policy: PathPolicy
  readonly #agents: Record<EndName, RawAgent>
  readonly #ready = new Set<RawAgent>()
  /** What each end last said of each attempt. */
  readonly #said = { client: new Map<number, string>(), node: new Map<number, string>() }
  readonly #link: number
  #revision = 10

  private constructor(
    lab: Lab,
    idleTimers: number,
    agents: Record<EndName, RawAgent>,
    link: number,
    policy: PathPolicy,
  ) {
    this.#lab = lab
    this.#idleTimers = idleTimers
    this.#agents = agents
    this.#link = link
    this.#policy = policy
    for (const name of ENDS) this.#ready.add(agents[name])
  }

  static async begun([wish, other]: readonly [PathPolicy, PathPolicy]): Promise<World> {
    const lab = await Lab.start({ limits: { controlPerSecond: 1_000 } })
    const idleTimers = lab.clock.waiting
    const node = await lab.raw('node', 'fra-1')
    node.say(node.hello({ credential: CREDENTIAL, can: ['udp'], policy: other }))
    const client = await lab.raw('client', 'alice')
    client.say(client.hello({ credential: CREDENTIAL, can: ['udp'], policy: wish }))
    await lab.clock.run(100)
    const { link } = await routed(lab, client, [node])
    return new World(lab, idleTimers, { client, node }, link, wish === 'auto' ? other : wish)
  }

  async perform(it: Step): Promise<void> {
    const lab = this.#lab
    if (it.what === 'time') await lab.live(Object.values(this.#agents), it.ms)
    else if (it.what === 'ready') this.#sayReady(it.end)
    else if (it.what === 'signal') this.#signal(it.end, it.revision, it.address)
    else if (it.what === 'report') this.#report(it.end, it.attempt, it.outcome)
    else if (it.what === 'answer') {
      for (const name of it.ends)
        this.#report(name, lastOf(this.#agents[name], 'path.punch')?.attempt ?? 1, it.outcome)
    } else if (it.what === 'win') {
      for (const name of ENDS) this.#signal(name, ++this.#revision, this.#revision % 200)
      await lab.clock.run(1_100)
      for (const name of ENDS) {
        const punch = lastOf(this.#agents[name], 'path.punch')
        if (punch !== undefined) this.#report(name, punch.attempt, it.outcome)
      }
    } else if (it.what === 'resume') await this.#resume(it.end, it.repeats)
    else {
      await lab.clock.run(1_000)
      lab.crash()
      await lab.boot()
      for (const [i, name] of ENDS.entries()) await this.#resume(name, it.repeats[i] === true)
    }
    await lab.clock.run(100)
  }

  async check(): Promise<void> {
    const { mesh, complaints } = this.#lab
    must(mesh.stats().faults === 0 && complaints.length === 0, `it complains: ${JSON.stringify(complaints)}`)
    const [route] = mesh.routes()
    if (route === undefined) throw new Error('the route is gone')
    const { tier, via } = route
    const won = (wanted: readonly string[]) =>
      [...this.#said.client].some(
        ([attempt, outcome]) =>
          wanted.includes(outcome) && wanted.includes(this.#said.node.get(attempt) ?? ''),
      )
    if (tier === 'direct') must(won(['direct']), 'it is shown as direct, and an end has not won that')
    if (tier === 'turned')
      must(won(['direct', 'turned']), 'it is shown as turned, and an end has not won that')
    must((tier === 'waiting') <= (this.#policy === 'direct-only'), 'it waits, and may use the relay')
    must(tier !== 'turned' || this.#policy === 'auto', `it is turned, and is ${this.#policy}`)
    must(tier === 'relayed' || this.#policy !== 'relay-only', `it is ${tier}, and is relay-only`)
    must(tier !== 'relayed' || this.#policy !== 'direct-only', 'it is relayed, and is direct-only')
    must(
      via === { direct: 'udp', turned: 'udp', relayed: 'websocket' }[tier as string] || tier === 'waiting',
      'by what?',
    )
    for (const name of ENDS) this.#heard(name, tier)
    await this.#relays()
  }

  /** Holds that nothing stays when both have left. */
  async end(): Promise<void> {
    for (const agent of Object.values(this.#agents)) agent.say({ type: 'goodbye', reason: 'done' })
    await this.#lab.clock.run(130_000)
    must(this.#lab.mesh.stats().relay.links === 0, 'a link stays')
    const { waiting } = this.#lab.clock
    must(waiting <= this.#idleTimers, `${waiting} timers run, ${this.#idleTimers} did before`)
  }

  #heard(name: EndName, tier: string): void {
    const agent = this.#agents[name]
    const told = lastOf(agent, 'path.settled')?.tier
    if (this.#ready.has(agent) && told !== undefined)
      must(told === tier, `${name} was told ${told}, and ${tier} is shown`)
    if (this.#policy !== 'relay-only') return
    must(countOf(agent, 'path.signal') + countOf(agent, 'path.punch') === 0, `${name} heard of addresses`)
  }

  async #relays(): Promise<void> {
    const { client, node } = this.#agents
    const before = countOf(node, 'relay.data')
    client.say({ type: 'relay.data', link: this.#link, payload: numbered(1) })
    await this.#lab.clock.run(30)
    const arrived = countOf(node, 'relay.data') - before
    must(arrived === (this.#policy === 'direct-only' ? 0 : 1), `${arrived} packets came by the relay`)
  }

  #sayReady(name: EndName): void {
    this.#agents[name].say({ type: 'path.ready', link: this.#link })
    this.#ready.add(this.#agents[name])
  }

  #signal(name: EndName, revision: number, address: number): void {
    const candidates = [`srflx 198.51.100.${address}:4000`]
    this.#agents[name].say({ type: 'path.signal', link: this.#link, revision, candidates })
  }

  #report(name: EndName, attempt: number, outcome: WireOf<'path.attempt'>['outcome']): void {
    this.#said[name].set(attempt, outcome)
    this.#agents[name].say({
      type: 'path.attempt',
      link: this.#link,
      attempt,
      via: 'udp',
      outcome,
      tried: [],
    })
  }

  async #resume(name: EndName, repeats: boolean): Promise<void> {
    const old = this.#agents[name]
    const { ticket } = old.heard.findLast(it => it.type === 'resumed') ?? old.last('registered')
    const { role, id } = old.hello()
    const back = await this.#lab.raw(role, id, old.keys)
    this.#agents[name] = back
    back.say({ type: 'resume', ticket })
    await this.#lab.clock.run(100)
    const won = [...this.#said[name]].findLast(([, outcome]) => outcome === 'direct' || outcome === 'turned')
    if (repeats && won !== undefined) this.#report(name, won[0], won[1] as 'direct')
    else this.#said[name].clear()
    this.#sayReady(name)
    await this.#lab.clock.run(100)
  }
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}
