/** The lab of a story: performs its steps on the real mesh with real agents, and tells the reference of each. */
import type { AgentProfile } from '../../src/agent/identity.js'
import type { RouteWish } from '../../src/agent/route.machine.js'
import type { Standing } from '../../src/agent/session.js'
import { encode } from '../../src/protocol/codec.js'
import { USUAL_TERMS } from '../../src/mesh/terms.js'
import { EXAMPLES } from '../../src/protocol/examples.js'
import { ClientHost, NodeHost, numbered } from '../lab/hosts.js'
import { CREDENTIAL, HOST, Lab } from '../lab/lab.js'
import type { RawAgent } from '../support/raw-agent.js'
import { CLIENTS, NODES, placesOf, THERE_AT_FIRST } from './cast.js'
import { Reference } from './reference.js'
import type { Step } from './step.js'
import { Traffic } from './traffic.js'

type AnyHost = NodeHost | ClientHost

/** What breaks sockets, or may have broken them. */
const BREAKS: ReadonlySet<string> = new Set([
  'leave',
  'kill',
  'drop',
  'cut',
  'heal',
  'deafen',
  'undeafen',
  'duplicate',
])

/** Short enough that whoever is let in again is back as soon as after anything else. */
const DENIAL = { code: 'not_entitled', reason: 'it has ended', retryAfterMs: 20_000 } as const
/** What had left the coordinator arrives within this time, ms. */
const UNDER_WAY_MS = 100
/** A packet number that nobody in the ledger has. */
const NOBODY = 0xffff_ffff
/** What the door says to who has to come later. */
const NO_ROOM = 'the coordinator takes no new sessions at the moment'
/** Who dials in its slot is there within this time, ms; later, something else has happened. */
const SLOT_MS = 5_000
/** Every figure of a node has been heard after this, ms. */
const HEARD_MS = 15_000

export class World {
  readonly lab: Lab
  readonly reference = new Reference()
  readonly traffic = new Traffic()
  /** By name; a duplicate is called like its original and a mark. */
  readonly hosts = new Map<string, AnyHost>()
  readonly duplicates = new Map<string, AnyHost>()
  /** What each client wants now, and everything it ever wanted: an answer may be to an older wish. */
  readonly wishes = new Map<string, RouteWish>()
  readonly everWished = new Map<string, RouteWish[]>()
  /** Who gave its route back, and has not asked since. */
  readonly released = new Set<string>()
  /** Whose process should run, as far as the story goes. */
  readonly present = new Set<string>()
  /** Nodes that the operator drains: the links they had then, and when the last of them has to be gone. */
  readonly drained = new Map<string, { links: ReadonlySet<number>; untilMs: number | null }>()
  /** Clients that the operator lets a node carry. */
  readonly limits = new Map<string, number>()
  /** Who is not let in, and since when. */
  readonly denied = new Map<string, number>()
  /** Nodes whose uplink is full. */
  readonly overloaded = new Set<string>()
  /** When each was that no more. */
  readonly #relievedMs = new Map<string, number>()
  /** When sockets were broken last: while sessions come back, nobody looks how nodes carry. */
  brokeMs = 0
  /** What agents have heard and should not have. */
  readonly wrongs: string[] = []
  /** When each agent was told to come back. */
  readonly #told = new Map<string, number>()
  /** Routes that client and coordinator knew of when the coordinator went, and whose they are. */
  #acknowledged: ReadonlyMap<string, string> = new Map()
  readonly #generations = new Map<string, number>()
  /** Packets that coordinators and agents of the past have dropped. */
  #pastDrops = 0
  #mallory: RawAgent['keys'] | undefined
  up = true
  #storeAway = false

  private constructor(lab: Lab) {
    this.lab = lab
    this.idleTimers = lab.clock.waiting
    const write = lab.store.write.bind(lab.store)
    const enrol = lab.store.enrol.bind(lab.store)
    const away = () => Promise.reject(new Error('the store does not answer'))
    lab.store.write = changes => (this.#storeAway ? away() : write(changes))
    lab.store.enrol = request => (this.#storeAway ? away() : enrol(request))
    for (const { name, profile } of NODES) this.hosts.set(name, this.#host(name, name, profile))
    for (const name of CLIENTS) this.hosts.set(name, this.#host(name, name))
  }

  /** Timers of a coordinator that has nobody. */
  readonly idleTimers: number

  /** Returns a world with a few agents in it, as stories begin. */
  static async begun(chance: number, perSecond?: number): Promise<World> {
    const admission = perSecond === undefined ? {} : { admission: { perSecond, burst: perSecond / 8 } }
    const world = new World(await Lab.start({ seed: chance, ...admission }))
    world.#guard()
    for (const who of THERE_AT_FIRST) await world.perform({ do: 'join', who })
    await world.lab.clock.run(perSecond === undefined ? 200 : 3_000)
    for (const who of THERE_AT_FIRST)
      if (CLIENTS.includes(who)) await world.perform({ do: 'ask', who, wish: {} })
    await world.lab.clock.run(200)
    return world
  }

  get now(): number {
    return this.lab.clock.now()
  }

  client(name: string): ClientHost {
    return this.hosts.get(name) as ClientHost // clients have such hosts
  }

  *everyHost(): Generator<AnyHost> {
    yield* this.hosts.values()
    yield* this.duplicates.values()
  }

  /** Whether bytes reach this host and come from it, and the coordinator is there to read them. */
  isReachable(host: AnyHost): boolean {
    const { internet } = this.lab
    const { name } = host
    return this.up && host.runs && internet.isReachable(name) && internet.isReachable(HOST)
  }

  /** How many clients the node may carry. */
  placesOf(node: string): number {
    return this.limits.get(node) ?? placesOf(node)
  }

  /** Whether the node has no bandwidth left, or had none when it was heard last. */
  isLoaded(node: string): boolean {
    return this.overloaded.has(node) || this.now - (this.#relievedMs.get(node) ?? -HEARD_MS) < HEARD_MS
  }

  /** Packets that a coordinator or an agent says it dropped, since the beginning. */
  get drops(): number {
    let drops = this.#pastDrops + this.#coordinatorDrops()
    for (const host of this.everyHost()) drops += dropsOf(host)
    return drops
  }

  /** Performs the step; one that makes no sense now is passed over. Returns whether it was performed. */
  async perform(step: Step): Promise<boolean> {
    switch (step.do) {
      case 'wait':
        await this.lab.clock.run(step.ms)
        return true
      case 'ask':
        return this.#ask(step.who, step.wish)
      case 'send':
        return this.#send(step.who, step.packets)
      case 'drain':
        return this.#drain(step.who, step.withinMs)
      case 'undrain':
        return this.#undrain(step.who)
      case 'limit':
        return this.#limit(step.who, step.places)
      case 'mischief':
        return this.#mischief(step.with)
      default:
        return step.who === undefined ? this.#coordinator(step.do) : this.#happen(step.do, step.who)
    }
  }

  /** Repairs everything: nets, store, coordinator; whoever should run does. Duplicates leave. */
  async heal(): Promise<void> {
    await this.perform({ do: 'bring store back' })
    await this.perform({ do: 'heal coordinator' })
    await this.perform({ do: 'boot coordinator' })
    for (const { name } of NODES) {
      await this.perform({ do: 'undrain', who: name })
      await this.perform({ do: 'limit', who: name, places: null })
      await this.perform({ do: 'relieve', who: name })
    }
    for (const who of this.hosts.keys()) {
      await this.perform({ do: 'heal', who })
      await this.perform({ do: 'undeafen', who })
      await this.perform({ do: 'allow', who })
    }
    for (const [who, duplicate] of this.duplicates) {
      this.traffic.excuse(who)
      this.#pastDrops += dropsOf(duplicate)
      await duplicate.agent.stop()
      this.reference.uncontested(who, this.now)
    }
    await this.lab.clock.run(100)
    this.duplicates.clear()
    for (const who of this.present) {
      const { agent } = this.hosts.get(who) as AnyHost // present ones are in the cast
      void agent.start()
      agent.nudge()
    }
  }

  /** Everybody says goodbye, then the coordinator stops. */
  async leave(): Promise<void> {
    for (const who of this.present) await this.perform({ do: 'leave', who })
  }

  #happen(what: string, who: string): boolean | Promise<boolean> {
    const host = this.hosts.get(who) as AnyHost // every name is in the cast
    const { reference, now } = this
    const { internet } = this.lab
    if (BREAKS.has(what)) this.brokeMs = now
    switch (what) {
      case 'join':
        return this.#join(who, host)
      case 'leave':
        return this.#leave(who, host)
      case 'duplicate':
        return this.#duplicate(who, host)
      case 'kill':
        if (!this.present.delete(who)) return false
        this.traffic.excuse(who)
        host.crash()
        reference.killed(who, now)
        return true
      case 'drop':
        if (!this.present.has(who)) return false
        internet.drop(who)
        reference.dropped(who, now)
        return true
      case 'overload':
        this.overloaded.add(who)
        return true
      case 'relieve':
        if (!this.overloaded.delete(who)) return false
        this.#relievedMs.set(who, now)
        return true
      case 'deny':
        if (this.denied.has(who)) return false
        this.denied.set(who, now)
        reference.denied(who, true, now)
        this.traffic.excuse(who)
        if (this.up) this.lab.mesh.termsChanged(who)
        return true
      case 'allow':
        if (!this.denied.delete(who)) return false
        reference.denied(who, false, now)
        if (this.up) this.lab.mesh.termsChanged(who)
        return true
      case 'cut':
        internet.cut(who)
        reference.cut(who, true, now)
        return true
      case 'heal':
        internet.heal(who)
        reference.cut(who, false, now)
        if (host.runs) host.agent.nudge()
        return true
      case 'deafen':
        internet.deafen(who)
        reference.deaf(who, true, now)
        return true
      case 'undeafen':
        internet.undeafen(who)
        reference.deaf(who, false, now)
        return true
      case 'release':
        if (!this.present.has(who) || !(host instanceof ClientHost)) return false
        this.wishes.delete(who)
        this.released.add(who)
        host.agent.release()
        return true
      default:
        throw new Error(`nobody knows how to ${what}`)
    }
  }

  #join(who: string, host: AnyHost): boolean {
    if (this.present.has(who)) return false
    this.present.add(who)
    this.released.delete(who)
    this.#pastDrops += dropsOf(host)
    host.boot()
    const wish = this.wishes.get(who)
    if (wish !== undefined && host instanceof ClientHost) void host.agent.route(wish, { patient: true })
    this.reference.joined(who, this.now)
    return true
  }

  async #leave(who: string, host: AnyHost): Promise<boolean> {
    if (!this.present.delete(who)) return false
    this.wishes.delete(who)
    this.traffic.excuse(who)
    this.reference.left(who, this.now, host.agent.status().state === 'online')
    await host.agent.stop()
    return true
  }

  /** Another machine comes with the same key; it is there until everything is healed. */
  #duplicate(who: string, host: AnyHost): boolean {
    if (this.duplicates.has(who)) return false
    const profile = NODES.find(node => node.name === who)?.profile
    const duplicate = this.#host(`${who}-2`, who, profile, host.privateKey)
    this.duplicates.set(who, duplicate)
    this.reference.contested(who, this.now)
    duplicate.boot()
    return true
  }

  #ask(who: string, wish: RouteWish): boolean {
    if (!this.present.has(who)) return false
    this.wishes.set(who, wish)
    this.released.delete(who)
    this.everWished.set(who, [...(this.everWished.get(who) ?? []), wish])
    void this.client(who).agent.route(wish, { patient: true })
    return true
  }

  #drain(who: string, withinMs: number | null): boolean {
    if (!this.up || this.lab.mesh.drain(who, { withinMs, actor: 'model' }) === null) return false
    const held = this.drained.get(who)?.links ?? this.#linksOf(who)
    this.drained.set(who, { links: held, untilMs: withinMs === null ? null : this.now + withinMs })
    return true
  }

  #undrain(who: string): boolean {
    if (!this.up || !this.drained.delete(who)) return false
    this.lab.mesh.cancelDrain(who, 'model')
    return true
  }

  #limit(who: string, places: number | null): boolean {
    if (!this.up || this.lab.mesh.steer(who, { maxSessions: places }, 'model') === null) return false
    if (places === null) this.limits.delete(who)
    else this.limits.set(who, places)
    return true
  }

  #linksOf(node: string): ReadonlySet<number> {
    const routes = this.lab.mesh.routes().filter(({ nodeId }) => nodeId === node)
    return new Set(routes.map(({ link }) => link))
  }

  #send(who: string, packets: number): boolean {
    const client = this.client(who)
    if (!this.present.has(who) || client.agent.current === null) return false
    for (let n = 0; n < packets; n++) {
      const { nodeId, link } = client.agent.current
      client.send(link, this.traffic.packet(who, nodeId, link))
    }
    return true
  }

  async #coordinator(what: string): Promise<boolean> {
    const { lab, reference } = this
    switch (what) {
      case 'restart coordinator':
        if (!this.up) return false
        this.#fall()
        await lab.restart()
        this.#rise()
        return true
      case 'kill coordinator':
        if (!this.up) return false
        this.#fall()
        lab.crash()
        return true
      case 'boot coordinator':
        if (this.up) return false
        await lab.boot()
        this.#rise()
        return true
      case 'storm':
        this.brokeMs = this.now
        for (const who of this.present) {
          lab.internet.drop(who)
          reference.dropped(who, this.now)
        }
        return true
      case 'cut coordinator':
        lab.internet.cut(HOST)
        this.brokeMs = this.now
        reference.coordinatorCut(true, this.now)
        return true
      case 'heal coordinator':
        lab.internet.heal(HOST)
        this.brokeMs = this.now
        reference.coordinatorCut(false, this.now)
        return true
      case 'take store away':
        this.#storeAway = true
        reference.storeAway()
        return true
      case 'bring store back':
        this.#storeAway = false
        reference.storeBack(this.now)
        return true
      default:
        throw new Error(`nobody knows how to ${what}`)
    }
  }

  #fall(): void {
    this.up = false
    this.#acknowledged = this.#acknowledgedRoutes()
    this.#told.clear()
    this.reference.coordinatorDown(this.now)
    this.#pastDrops += this.#coordinatorDrops()
    this.traffic.excuse(null)
  }

  /** Asks who is let in; each coordinator anew. */
  #guard(): void {
    this.lab.mesh.guard(id => (this.denied.has(id) ? { ...USUAL_TERMS, denial: DENIAL } : null))
  }

  #rise(): void {
    this.up = true
    this.reference.coordinatorUp(this.now)
    const found = new Set(this.lab.mesh.routes().map(({ routeId }) => routeId))
    for (const [routeId, client] of this.#acknowledged)
      if (!found.has(routeId))
        this.wrongs.push(`the route that ${client} knows of was lost with the coordinator`)
    // What was restored for those who are not let in any more ends now.
    this.#guard()
  }

  /** Routes of which coordinator and client know alike, and who has them. */
  #acknowledgedRoutes(): Map<string, string> {
    const alike = this.lab.mesh.routes().filter(({ clientId, link }) => {
      const { agent, runs } = this.client(clientId)
      return runs && agent.current?.link === link
    })
    return new Map(alike.map(({ routeId, clientId }) => [routeId, clientId]))
  }

  /** Who comes when it was told to is let in: its slot is its own. */
  #refused(id: string, host: string, { reason, retryInMs }: { reason: string; retryInMs: number }): void {
    const slotMs = this.#told.get(host)
    this.#told.delete(host)
    if (reason !== NO_ROOM) return
    const came = slotMs !== undefined && this.now >= slotMs && this.now < slotMs + SLOT_MS
    if (came && this.duplicates.size === 0) this.wrongs.push(`${id} came in its slot and was refused again`)
    this.#told.set(host, this.now + retryInMs)
  }

  /** Somebody registered, with routes of others in sight, does what he may not. */
  async #mischief(what: string): Promise<boolean> {
    if (!this.up) return false
    const { lab } = this
    const mallory = await lab.raw('client', 'mallory', this.#mallory)
    this.#mallory = mallory.keys
    if (!mallory.names().includes('welcome')) return false
    mallory.say(mallory.hello({ credential: CREDENTIAL }))
    await lab.clock.run(50)
    if (!mallory.names().includes('registered')) return false
    for (const { link, routeId } of lab.mesh.routes()) {
      const claims: Record<string, () => void> = {
        'packets on links of others': () =>
          mallory.say({ type: 'relay.data', link, payload: numbered(NOBODY) }),
        'path.closed for links of others': () => mallory.say({ type: 'path.closed', link, reason: 'mine' }),
        'path.ready and path.report for links of others': () =>
          mallory.say(
            { type: 'path.ready', link },
            { type: 'path.report', link, sentBytes: 1, receivedBytes: 1 },
          ),
        'route.release for routes of others': () => mallory.say({ type: 'route.release', routeId }),
        'messages that only a coordinator may send': () =>
          mallory.say({ ...EXAMPLES['path.settled'], link }, { ...EXAMPLES['route.switched'], link }),
        'bytes that mean nothing': () =>
          mallory.sayBytes(Buffer.concat([encode({ type: 'path.ready', link }), Buffer.of(0xc1)])),
      }
      claims[what]?.()
    }
    await lab.clock.run(50)
    mallory.say({ type: 'goodbye', reason: 'caught' })
    await lab.clock.run(50)
    mallory.hangUp()
    return true
  }

  #host(name: string, id: string, profile?: AgentProfile, privateKey?: Uint8Array): AnyHost {
    const options = {
      id,
      ...(profile !== undefined && { profile }),
      gauges: () => ({ bwTotalMbps: this.overloaded.has(id) ? (profile?.bandwidthMbps ?? 0) : 0 }),
      ...(privateKey !== undefined && { privateKey }),
      packet: (link: number, packet: Uint8Array) => {
        const { client, node } = this.traffic.got(id, link, packet) ?? {}
        for (const who of [client, node])
          if (this.now - (this.denied.get(who ?? '') ?? this.now) > UNDER_WAY_MS)
            this.wrongs.push(`a packet between ${client} and ${node} came, and ${who} is not let in`)
      },
      happened: (type: string, event: unknown) => {
        if (type === 'offline' || type === 'refused') this.traffic.excuse(id)
        if (type === 'offline') this.#refused(id, name, event as { reason: string; retryInMs: number }) // so it is documented
        if (type === 'online') this.#stood(id, (event as Standing).generation) // so it is documented
      },
    }
    return CLIENTS.includes(id)
      ? new ClientHost(this.lab, name, options)
      : new NodeHost(this.lab, name, options)
  }

  #stood(id: string, generation: number): void {
    const before = this.#generations.get(id) ?? 0
    if (generation <= before) this.wrongs.push(`${id} was given generation ${generation} after ${before}`)
    this.#generations.set(id, generation)
  }

  #coordinatorDrops(): number {
    return this.up ? sum(Object.values(this.lab.mesh.stats().relay.drops)) : 0
  }
}

const dropsOf = ({ agent }: AnyHost): number => sum(Object.values(agent.status().counters.dropped))

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)
