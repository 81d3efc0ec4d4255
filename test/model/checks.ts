/**
 * What must hold of the mesh: at every moment, when everything has been repaired and has settled, and when
 * everybody has left. Each check throws the sentence that says what is wrong.
 */
import type { ClientView, NodeView } from '../../src/actors/ports.js'
import type { NodeHost } from '../lab/hosts.js'
import { isNode, meets } from './cast.js'
import { ConditionChecks } from './condition-checks.js'
import { LedgerChecks } from './ledger-checks.js'
import type { World } from './world.js'

/** Warnings that are part of a story in which the store goes away or a reader stops reading, and of one in which a node was away: its round trip shows it. */
const EXPECTED =
  /snapshot was not written|did not take the last snapshot|the relay drops packets|carries badly/

/** A few round trips, a failover and a look: what must have happened by itself after this has not, ms. */
const GRACE_MS = 3_000
/** New paths that never come to carry are given up one after the other, and waited for, ms. */
const HANDOVER_MS = 60_000
/** After a boot, sessions have this long to come back before routes move, ms. */
const WARMING_MS = 10_000
/** After a boot a drain has at least this long, ms. */
const RESTORED_MS = 30_000
/** A drain tries what is left of its routes this often, and each new path may take as long to carry, ms. */
const DRAIN_MS = 15_000

export class Checks {
  readonly #world: World
  readonly #addresses = new Map<string, string>()
  readonly #generations = new Map<string, number>()
  readonly #since = new Map<string, number>()
  readonly #ledger = new LedgerChecks()
  readonly #condition: ConditionChecks
  /** Clients that each node carried at the last look. */
  readonly #most = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
    this.#condition = new ConditionChecks(world)
  }

  /** Holds at every moment, however much is broken. */
  always(): void {
    const { lab, traffic, wrongs, up } = this.#world
    for (const { message, fields } of lab.complaints)
      must(EXPECTED.test(message), `the coordinator complains: ${message} ${JSON.stringify(fields)}`)
    must(traffic.wrongs.length === 0, traffic.wrongs.join('; '))
    must(wrongs.length === 0, wrongs.join('; '))
    if (!up) {
      this.#ledger.crashed()
      this.#condition.crashed()
      return this.#since.clear()
    }
    must(lab.mesh.stats().faults === 0, 'a session failed inside the coordinator')
    const nodes = lab.mesh.nodes()
    const clients = lab.mesh.clients()
    this.#identities([...nodes, ...clients])
    this.#presence([...nodes, ...clients])
    this.#denials()
    this.#routes(nodes, clients)
    this.#ledger.hold(lab.mesh)
    this.#condition.hold(nodes)
    this.#drains()
    this.#agreement([...nodes, ...clients])
    this.#failover(nodes)
  }

  /** Holds when everything is repaired and time has passed: who wants a route has one, and packets flow. */
  async settled(): Promise<void> {
    const { lab, hosts, present, wishes, released, traffic } = this.#world
    for (const who of present) {
      const status = hosts.get(who)?.agent.status()
      must(status?.state === 'online', `${who} is ${status?.state} (${status?.reason}), not online`)
      const view = [...lab.mesh.nodes(), ...lab.mesh.clients()].find(({ id }) => id === who)
      must(view?.generation === status?.session?.generation, `${who} and the coordinator disagree who it is`)
    }
    for (const [who, wish] of wishes) {
      if (!present.has(who)) continue
      const route = lab.mesh.routes().find(({ clientId }) => clientId === who)
      if (route === undefined || !meets(route.nodeId, wish)) {
        // Until its wish can be met, a patient client keeps what it has.
        const free = lab.mesh
          .nodes()
          .filter(node => meets(node.id, wish) && node.reserved < this.#world.placesOf(node.id))
        const has = route === undefined ? 'has no route' : `stays on ${route.nodeId}`
        must(free.length === 0, `${who} ${has}, although ${free.map(({ id }) => id).join()} meets its wish`)
        continue
      }
      this.#bothEnds(who, route.nodeId, route.link, route.tier)
    }
    for (const who of hosts.keys()) {
      // One that came back without asking is told the route it had, and keeps it until it says otherwise.
      if (present.has(who) && !released.has(who)) continue
      const route = lab.mesh.routes().find(({ clientId }) => clientId === who)
      must(route === undefined, `${who} has a route that it does not want`)
    }
    const { missing } = traffic
    must(missing <= this.#world.drops, `${missing} packets are missing, ${this.#world.drops} were counted`)
    await this.#pings()
  }

  /** Holds when everybody has left and every window has closed. */
  empty(): void {
    const { lab, idleTimers } = this.#world
    const { sessions, connections, routes, relay, snapshot } = lab.mesh.stats()
    const left = {
      ...sessions.node,
      clients: Object.values(sessions.client).reduce((all, one) => all + one, 0),
      ...connections,
      routes: routes.active,
      links: relay.links,
      unwritten: snapshot.dirty,
      sockets: lab.internet.open,
      timers: lab.clock.waiting - idleTimers,
    }
    for (const [what, count] of Object.entries(left))
      must(count === 0, `everybody has left, and ${count} of ${what} stay`)
  }

  #identities(views: readonly (NodeView | ClientView)[]): void {
    const ids = new Set(views.map(({ id }) => id))
    must(ids.size === views.length, 'an identity has two sessions')
    for (const { id, overlay4, overlay6, generation } of views) {
      if (overlay4 === '') continue // its first contact is being written
      const address = `${overlay4} ${overlay6}`
      const known = this.#addresses.get(id) ?? address
      must(address === known, `${id} had the addresses ${known} and now has ${address}`)
      this.#addresses.set(id, address)
      const before = this.#generations.get(id) ?? 0
      must(generation >= before, `${id} was at generation ${before} and is at ${generation}`)
      this.#generations.set(id, generation)
    }
    must(new Set(this.#addresses.values()).size === this.#addresses.size, 'two identities share an address')
  }

  #presence(views: readonly (NodeView | ClientView)[]): void {
    const { hosts, reference, now } = this.#world
    for (const id of hosts.keys()) {
      const state = views.find(view => view.id === id)?.state ?? 'absent'
      const expected: readonly string[] = reference.expects(id, now)
      must(
        expected.includes(state === 'registering' ? 'absent' : state),
        `${id} is ${state}, expected ${expected.join(' or ')}`,
      )
    }
  }

  /** Who is not let in has nothing here: neither a session, which the reference says, nor a route, nor a path. */
  #denials(): void {
    const { lab, denied } = this.#world
    for (const who of denied.keys()) {
      const ends = [...lab.mesh.routes(), ...lab.mesh.paths().paths]
      must(
        ends.every(({ clientId, nodeId }) => clientId !== who && nodeId !== who),
        `${who} is not let in and has a route or a path`,
      )
    }
  }

  #routes(nodes: readonly NodeView[], clients: readonly ClientView[]): void {
    const { lab, everWished } = this.#world
    const routes = lab.mesh.routes()
    must(new Set(routes.map(({ link }) => link)).size === routes.length, 'two routes share a link')
    for (const { clientId, nodeId, link, tier } of routes) {
      const client = clients.find(({ id }) => id === clientId)
      must(client !== undefined, `a route stands for ${clientId}, who has no session`)
      must(client?.link === link && client.nodeId === nodeId, `${clientId} does not know its own route`)
      must(
        nodes.some(({ id }) => id === nodeId),
        `${clientId} is routed to ${nodeId}, which has no session`,
      )
      must(tier === 'opening' || tier === 'relayed', `the path of ${clientId} is ${tier}`)
      const wishes = everWished.get(clientId) ?? []
      must(
        wishes.some(wish => meets(nodeId, wish)),
        `${clientId} is on ${nodeId}, which it never asked for`,
      )
    }
    const { relay, routes: figures } = lab.mesh.stats()
    let left = 0
    for (const { id, links, reserved } of nodes) {
      const count = routes.filter(({ nodeId }) => nodeId === id).length
      must(count <= links && links === reserved, `${id}: ${count} routes, ${links} links, ${reserved} places`)
      this.#capacity(id, reserved)
      left += links - count
    }
    must(left === figures.handingOver, `${left} links were left, ${figures.handingOver} routes hand over`)
    must(routes.length + left === relay.links, 'a link stands without a route')
    must(this.#lasting('handing over', left > 0) <= HANDOVER_MS, 'a route hands over since long')
  }

  /** A node never carries more than it may; one that may carry fewer than before gives them up, and gets no more. */
  #capacity(id: string, reserved: number): void {
    const places = this.#world.placesOf(id)
    const before = this.#most.get(id) ?? 0
    // What it may carry was changed since the last look: it keeps what it had.
    const most = Math.max(places, before)
    must(reserved <= most, `${id} carries ${reserved} clients and has ${places} places`)
    this.#most.set(id, reserved)
  }

  /** A drained node is given no routes, and has none any more when its time is up. */
  #drains(): void {
    const { lab, drained, reference, now } = this.#world
    const known = lab.mesh.drains().map(({ nodeId }) => nodeId)
    for (const id of known) must(drained.has(id), `${id} is drained, and nobody has asked for it`)
    for (const [id, { links, untilMs }] of drained) {
      must(known.includes(id), `the drain of ${id} is forgotten`)
      const routes = lab.mesh.routes().filter(({ nodeId }) => nodeId === id)
      for (const { clientId, link } of routes)
        must(links.has(link), `${clientId} came to ${id}, which is drained`)
      const overMs = Math.max(untilMs ?? Number.POSITIVE_INFINITY, reference.bootMs + RESTORED_MS) + GRACE_MS
      must(routes.length === 0 || now <= overMs, `${id} has routes after the time of its drain is up`)
    }
  }

  /** An agent that is online and reachable is the one that the coordinator shows. */
  #agreement(views: readonly (NodeView | ClientView)[]): void {
    for (const host of this.#world.everyHost()) {
      const { state, session } = host.agent.status()
      const view = views.find(({ id }) => id === host.agent.id)
      const agree = view?.generation === session?.generation && view?.state === 'online'
      const differ = this.#world.isReachable(host) && state === 'online' && !agree
      must(
        this.#lasting(`session of ${host.name}`, differ) <= GRACE_MS,
        `${host.name} believes to be online, and the coordinator shows ${view?.state} since long`,
      )
    }
  }

  /** A route does not stay with a node that is away or drained while another could take it. */
  #failover(nodes: readonly NodeView[]): void {
    const { lab, everWished, reference, now, drained } = this.#world
    const warmMs = GRACE_MS + (now - reference.bootMs < WARMING_MS + GRACE_MS ? WARMING_MS : 0)
    const online = lab.mesh.clients().filter(({ state }) => state === 'online')
    const clientsOnline = new Set(online.map(({ id }) => id))
    for (const { clientId, nodeId } of lab.mesh.routes()) {
      const wishes = everWished.get(clientId) ?? []
      const other = nodes.find(
        ({ id, state, reserved }) =>
          id !== nodeId &&
          this.#lasting(`${id} online`, state === 'online') > GRACE_MS &&
          reserved < this.#world.placesOf(id) &&
          !drained.has(id) &&
          !this.#world.isLoaded(id) &&
          wishes.every(wish => meets(id, wish)),
      )
      const away = nodes.find(({ id }) => id === nodeId)?.state !== 'online'
      must(
        this.#lasting(`${clientId} on ${nodeId} in vain`, away && other !== undefined) <= warmMs,
        `${clientId} stays on ${nodeId}, which is away, although ${other?.id} could take it`,
      )
      // While the client is away too, there is nobody who could be told.
      const mayLeave = other !== undefined && clientsOnline.has(clientId)
      must(
        this.#lasting(`${clientId} on drained ${nodeId}`, drained.has(nodeId) && mayLeave) <=
          warmMs + DRAIN_MS,
        `${clientId} stays on ${nodeId}, which is drained, although ${other?.id} could take it`,
      )
      const reserved = nodes.find(({ id }) => id === nodeId)?.reserved ?? 0
      const isCrowded = reserved > this.#world.placesOf(nodeId)
      must(
        this.#lasting(`${clientId} on crowded ${nodeId}`, isCrowded && mayLeave) <= warmMs + DRAIN_MS,
        `${nodeId} keeps ${reserved} clients and has fewer places, although ${other?.id} could take ${clientId}`,
      )
    }
  }

  /** Returns for how long `what` has held without a break, ms. */
  #lasting(what: string, holds: boolean): number {
    const { now } = this.#world
    if (!holds) this.#since.delete(what)
    else if (!this.#since.has(what)) this.#since.set(what, now)
    return holds ? now - (this.#since.get(what) ?? now) : 0
  }

  /** Client, node and coordinator know the same link. */
  #bothEnds(client: string, node: string, link: number, tier: string): void {
    const { hosts } = this.#world
    must(tier === 'relayed', `the path of ${client} to ${node} stays ${tier}`)
    const current = this.#world.client(client).agent.current
    must(
      current?.link === link && current.nodeId === node,
      `${client} believes in link ${current?.link} to ${current?.nodeId}, and has link ${link} to ${node}`,
    )
    for (const [end, peer] of [
      [client, node],
      [node, client],
    ] as const) {
      const links = (hosts.get(end) as NodeHost).agent.status().links // a client has them too
      const held = links.find(it => it.link === link)
      must(
        held?.peerId === peer && held.state === 'relayed',
        `${end} has link ${link} to ${held?.peerId} ${held?.state}, wanted ${peer}`,
      )
    }
    for (const [name, host] of hosts) {
      if (!host.runs || !this.#world.present.has(name)) continue
      const wanted = this.#world.lab.mesh
        .routes()
        .filter(route => (isNode(name) ? route.nodeId : route.clientId) === name)
      const links = host.agent.status().links
      must(links.length === wanted.length, `${name} holds ${links.length} links of ${wanted.length}`)
    }
  }

  async #pings(): Promise<void> {
    const { lab, wishes, drops, traffic } = this.#world
    const missing = traffic.missing
    for (let n = 0; n < 5; n++) {
      for (const who of wishes.keys()) // one that is not there sends nothing
        await this.#world.perform({ do: 'send', who, packets: 1 })
      await lab.clock.run(20)
    }
    await lab.clock.run(200)
    must(traffic.wrongs.length === 0, traffic.wrongs.join('; '))
    must(
      traffic.missing === missing && this.#world.drops === drops,
      `packets do not flow: ${traffic.missing - missing} more are missing, ${this.#world.drops - drops} more dropped`,
    )
  }
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
