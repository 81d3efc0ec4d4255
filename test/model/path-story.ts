/**
 * Plays one story of a path, and holds it to physics: `canPunch` over the NATs that were built says where the path
 * must end up, and every ping comes back, but for those that left just after something broke.
 */
import { canPunch, type Punch } from '../../src/mesh/nat.js'
import { USUAL_TERMS } from '../../src/mesh/terms.js'
import { Lab } from '../lab/lab.js'
import { Pair } from '../lab/pair.js'
import { truthOf } from '../lab/truth.js'
import type { Place, Site } from '../lab/udp-net.js'
import { LedgerChecks } from './ledger-checks.js'
import { BACK_MS } from './reference.js'
import { type EndName, named, type PathStep, type PathStory, sentence } from './path-step.js'

/** A way that died is noticed, and the relay carries again, ms. */
const FALLBACK_MS = 2_000
/** A cut was noticed after this much traffic, also when an attempt begins meanwhile, ms. */
const NOTICED_MS = 5_000
/** An agent whose socket broke, or that began anew, carries packets again, ms. */
const REJOIN_MS = 5_000
/** Far more than pings need, bytes a second. */
const RATE = 100_000
/** Pings that were under way when something broke, ms. */
const UNDER_WAY_MS = 200
/** The longest rest between two attempts, and the attempt, ms. */
const LONGEST_REST_MS = 620_000
const PING_EVERY_MS = 50
const SETTLING_PING_EVERY_MS = 1_000
/** What a probe found while something was broken counts until the next one; after two everything is known, ms. */
const PROBE_EVERY_MS = 120_000

/** What went wrong, and the story that led there in sentences. */
export class PathStoryError extends Error {
  constructor(what: string, told: readonly string[]) {
    super([what, ...told.map(line => `  ${line}`)].join('\n'))
    this.name = 'PathStoryError'
  }
}

export async function playPath(story: PathStory): Promise<void> {
  const told: string[] = []
  const world = await PathWorld.begun(story)
  const tell = (line: string) => told.push(`${(world.now / 1_000).toFixed(2).padStart(8)} s  ${line}`)
  try {
    tell(`anna is at ${named(story.sites[0])}`)
    tell(story.together ? 'bert is in the same LAN' : `bert is at ${named(story.sites[1])}`)
    tell(`TURN is ${story.turn ? 'on' : 'off'}, anna wants ${story.policy}`)
    for (const step of story.steps) {
      tell(sentence(step))
      await world.perform(step)
      world.always()
    }
    tell('everything is repaired')
    await world.repair()
    await world.settled()
  } catch (error) {
    throw new PathStoryError(error instanceof Error ? error.message : String(error), told)
  }
}

class PathWorld {
  readonly #story: PathStory
  readonly #pair: Pair
  readonly #sites: Record<EndName, Site>
  readonly #ledger = new LedgerChecks()
  #together: boolean
  #up = true
  /** Ends that are held to a rate. */
  readonly #held = new Set<EndName>()
  /** When the ends and the coordinator last came to know of it, or may have missed it, ms. */
  #toldMs = 0
  /** Pings that left within these may be lost, ms. */
  readonly #excuses: { readonly fromMs: number; untilMs: number }[] = []
  /** Nothing carries until the coordinator is back. */
  #stranded: { readonly fromMs: number } | null = null
  #lossy: { readonly fromMs: number } | null = null

  private constructor(story: PathStory, pair: Pair) {
    this.#story = story
    this.#pair = pair
    const [anna, bert] = story.sites
    this.#sites = { anna, bert: story.together ? anna : bert }
    this.#together = story.together
    this.#guard()
  }

  static async begun(story: PathStory): Promise<PathWorld> {
    const { chance, turn, policy, together } = story
    const lab = await Lab.start({ seed: chance, turn, natProbeEveryMs: PROBE_EVERY_MS })
    const [anna, bert] = story.sites
    const lan = together && (anna.nat ?? []).length > 0 ? lab.router(anna) : null
    const at = (site: Site): Place => (lan === null ? site : { behind: lan })
    const pair = await Pair.met(
      { client: at(anna), node: at(together ? anna : bert), policies: { client: policy } },
      lab,
    )
    return new PathWorld(story, pair)
  }

  get now(): number {
    return this.#pair.lab.clock.now()
  }

  async perform(step: PathStep): Promise<void> {
    const { lab } = this.#pair
    const { udp } = lab.internet
    switch (step.do) {
      case 'talk':
        return this.#talk(step.ms)
      case 'rest':
        return lab.clock.run(step.ms)
      case 'cut UDP':
        this.#breaks(FALLBACK_MS)
        return udp.cut(step.who)
      case 'heal UDP':
        return udp.heal(step.who)
      case 'cut path':
        this.#breaks(FALLBACK_MS)
        return udp.cut('anna', 'bert')
      case 'heal path':
        return udp.heal('anna', 'bert')
      case 'rebind':
        if ((this.#sites[step.who].nat ?? []).length === 0 && this.#sites[step.who].blocksUdp !== true) return
        this.#breaks(FALLBACK_MS)
        return udp.rebind(step.who)
      case 'lose packets':
        this.#lossy ??= { fromMs: this.now }
        udp.loss = step.share
        return
      case 'hold to a rate':
        // Nothing holds back what never uses the relay: it would have no route.
        if (this.#story.policy !== 'direct-only') this.#hold(step.who, true)
        return
      case 'lift the rate':
        return this.#hold(step.who, false)
      case 'lose socket':
        this.#breaks(REJOIN_MS)
        return lab.internet.drop(step.who)
      case 'move':
        this.#breaks(REJOIN_MS)
        this.#sites[step.who] = step.to
        this.#together = false
        return this.#end(step.who).move(step.to)
      case 'kill':
        return this.#kill(step.who)
      default:
        return this.#coordinator(step.do)
    }
  }

  /** What holds at every moment. */
  always(): void {
    const { policy } = this.#story
    const { lab, tiers } = this.#pair
    if (policy === 'relay-only' && tiers.some(tier => tier === 'direct' || tier === 'turned'))
      throw new Error(`relay-only, and packets travel ${tiers.join(' and ')}`)
    const isTold = this.#up && this.#isCalm() && this.now - this.#toldMs > REJOIN_MS
    if (this.#held.size > 0 && isTold && tiers.some(tier => tier === 'direct' || tier === 'turned'))
      throw new Error(`held to a rate, and packets travel ${tiers.join(' and ')}`)
    if (policy === 'direct-only' && lab.mesh.stats().relay.packets > 0)
      throw new Error('direct-only, and packets were relayed')
    if (lab.complaints.some(({ message }) => /failed/.test(message)))
      throw new Error(`the coordinator complains: ${JSON.stringify(lab.complaints)}`)
    if (this.#up) this.#ledger.hold(lab.mesh)
    else this.#ledger.crashed()
  }

  /** Nothing is cut, nothing is lost, everybody runs. */
  async repair(): Promise<void> {
    const { lab } = this.#pair
    for (const who of ['anna', 'bert'] as const) lab.internet.udp.heal(who)
    lab.internet.udp.heal('anna', 'bert')
    lab.internet.udp.loss = 0
    this.#excuse(this.#lossy?.fromMs ?? this.now, FALLBACK_MS)
    if (!this.#up) await this.#coordinator('boot coordinator')
    for (const who of this.#held) this.#hold(who, false)
    this.#breaks(FALLBACK_MS)
  }

  /** Waits until the path is where it belongs, and holds everything that was to what it may have cost. */
  async settled(): Promise<void> {
    const pair = this.#pair
    const wanted = this.#wanted()
    const untilMs = this.now + LONGEST_REST_MS
    await pair.talk(2 * PROBE_EVERY_MS, SETTLING_PING_EVERY_MS)
    while (!wanted.some(({ tier }) => pair.is(tier)) && this.now < untilMs)
      await pair.talk(5_000, SETTLING_PING_EVERY_MS)
    // Where the relay is not allowed, packets are lost for as long as there is no other way.
    if (this.#story.policy === 'direct-only') this.#excuse(0, 0)
    await pair.talk(FALLBACK_MS, PING_EVERY_MS)
    await pair.hush()
    this.always()
    const { tier, reason } = pair.path
    if (!wanted.some(one => pair.is(one.tier) && (one.reason === undefined || one.reason === reason)))
      throw new Error(
        `wanted ${JSON.stringify(wanted)}, got ${tier} because of ${reason}; ends say ${pair.tiers.join(' and ')}`,
      )
    this.#classified()
    const lost = tier === 'waiting' ? [] : this.#unexcused(pair.lost())
    if (lost.length > 0) throw new Error(`lost without an excuse: pings sent at ${lost.join(', ')} ms`)
    const repeated = this.#unexcused(pair.repeated)
    if (repeated.length > 0)
      throw new Error(`came twice without an excuse: pings sent at ${repeated.join(', ')} ms`)
  }

  /** Where the path may end up, and why it is not direct. */
  #wanted(): {
    readonly tier: 'direct' | 'turned' | 'relayed' | 'waiting'
    readonly reason?: string | null
  }[] {
    const { policy, turn } = this.#story
    if (policy === 'relay-only') return [{ tier: 'relayed', reason: 'policy_relay_only' }]
    const { verdict, reason } = this.#punch()
    const direct = { tier: 'direct', reason: null } as const
    if (verdict === 'yes') return [direct]
    const why = verdict === 'no' ? { reason } : {}
    const helped = turn && reason !== 'udp_blocked'
    const carried =
      policy === 'direct-only'
        ? ({ tier: 'waiting', reason: 'policy_direct_only' } as const)
        : ({ tier: helped ? 'turned' : 'relayed', ...why } as const)
    return verdict === 'no' ? [carried] : [direct, carried]
  }

  #punch(): Punch {
    const { anna, bert } = this.#sites
    if (!this.#together) return canPunch(truthOf(anna), truthOf(bert))
    if (anna.blocksUdp === true) return { verdict: 'maybe', reason: 'same_nat' }
    return { verdict: 'yes', reason: 'mappings_hold' }
  }

  /** What the coordinator found out of each end is what was built. */
  #classified(): void {
    const { mesh } = this.#pair.lab
    for (const { id, nat } of [...mesh.clients(), ...mesh.nodes()]) {
      const truth = truthOf(this.#sites[id as EndName]) // there are only these two
      const names =
        truth.udp === 'blocked' ? (['udp'] as const) : (['udp', 'mapping', 'filtering', 'nat'] as const)
      for (const name of names)
        if (nat[name] !== truth[name])
          throw new Error(`${id} was classified with ${name} ${nat[name]}, wanted ${truth[name]}`)
    }
  }

  /** Returns when those of these pings were sent that left while nothing was broken. */
  #unexcused(numbers: readonly number[]): number[] {
    const { pings } = this.#pair.client
    return numbers
      .map(n => pings[n - 1]?.atMs ?? 0)
      .filter(atMs => !this.#excuses.some(({ fromMs, untilMs }) => atMs >= fromMs && atMs <= untilMs))
  }

  /** What is cut is noticed under traffic. */
  async #talk(ms: number): Promise<void> {
    const { lab } = this.#pair
    await this.#pair.talk(ms, PING_EVERY_MS)
    const isCut = lab.internet.udp.isCut('anna', 'bert')
    if (isCut && ms > NOTICED_MS && this.#pair.tiers.includes('direct'))
      throw new Error(`${ms} ms after nothing passes any more an end still sends directly`)
  }

  async #kill(who: EndName): Promise<void> {
    this.#breaks(REJOIN_MS)
    const host = this.#end(who)
    host.crash()
    await this.#pair.lab.clock.run(500)
    host.boot()
    const { client } = this.#pair
    if (who === 'anna') void client.agent.route({ target: 'bert' }, { patient: true })
  }

  async #coordinator(what: string): Promise<void> {
    const { lab } = this.#pair
    if (what === 'restart coordinator' && this.#up) {
      if (!this.#isDirect()) this.#breaks(BACK_MS)
      await lab.restart()
      this.#guard()
    } else if (what === 'kill coordinator' && this.#up) {
      this.#up = false
      lab.crash()
      if (!this.#isDirect()) this.#strand()
    } else if (what === 'boot coordinator' && !this.#up) {
      this.#up = true
      await lab.boot()
      this.#guard()
      this.#excuse(this.#stranded?.fromMs ?? this.now, BACK_MS)
      this.#stranded = null
    }
  }

  /** Asks how fast either may be; each coordinator anew. */
  #guard(): void {
    this.#toldMs = this.now
    this.#pair.lab.mesh.guard(
      id => (this.#held.has(id as EndName) ? { ...USUAL_TERMS, bytesPerSecond: RATE } : null), // there are only these two
    )
  }

  /** What is under way by the way that is left may be lost. */
  #hold(who: EndName, isHeld: boolean): void {
    this.#breaks(FALLBACK_MS)
    this.#toldMs = this.now
    if (isHeld) this.#held.add(who)
    else this.#held.delete(who)
    if (this.#up) this.#pair.lab.mesh.termsChanged(who)
  }

  /** Something breaks now that may cost packets for so long; without a coordinator, until that is back. */
  #breaks(forMs: number): void {
    this.#excuse(this.now, forMs)
    if (!this.#up) this.#strand()
  }

  #strand(): void {
    this.#stranded ??= { fromMs: this.now }
  }

  #excuse(fromMs: number, forMs: number): void {
    this.#excuses.push({ fromMs: fromMs - UNDER_WAY_MS, untilMs: this.now + forMs })
  }

  /** Both ends send directly, and nothing broke just now: they do not need the coordinator. */
  #isDirect(): boolean {
    return this.#isCalm() && this.#pair.tiers.every(tier => tier === 'direct')
  }

  #isCalm(): boolean {
    return this.#excuses.every(({ untilMs }) => untilMs < this.now)
  }

  #end(who: EndName) {
    return who === 'anna' ? this.#pair.client : this.#pair.node
  }
}
