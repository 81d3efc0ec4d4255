/**
 * What must hold of nodes that carry badly. One whose uplink is full for long is found out, and one that has room is not
 * blamed for it; its routes leave for nodes that are clearly better, none before it has rested, each make before break;
 * and nobody new comes to it while another qualifies.
 */
import type { NodeView, RouteStory } from '../../src/actors/ports.js'
import { TIMING } from '../../src/protocol/timing.js'
import { meets } from './cast.js'
import type { World } from './world.js'

/** Three looks find it out, once a beat; sessions that come back keep the looks waiting, ms. */
const FOUND_OUT_MS = 90_000
/** A node of a few routes is left by one of them at each beat; some wait for the one before, ms. */
const LEFT_MS = 60_000
/** What came just now may not be known yet, ms. */
const GRACE_MS = 3_000
/** Of its places, beyond which another node is not clearly better than one whose uplink is full. */
const ROOMY = 0.5

interface Seen {
  readonly nodeId: string
  readonly moved: number
}

export class ConditionChecks {
  readonly #world: World
  readonly #since = new Map<string, number>()
  /** Each route as it was at the last look. */
  #routes: ReadonlyMap<string, Seen> = new Map()
  /** Nodes that carried badly at the last look, for whatever reason. */
  #ill: ReadonlySet<string> = new Set()
  #lookedMs = 0

  constructor(world: World) {
    this.#world = world
  }

  /** The coordinator is away: what it knew of nodes is forgotten, and so is what was seen. */
  crashed(): void {
    this.#since.clear()
    this.#routes = new Map()
  }

  hold(nodes: readonly NodeView[]): void {
    const { lab } = this.#world
    const ill = new Set(nodes.filter(({ ailment }) => ailment !== null).map(({ id }) => id))
    const stories = lab.mesh.routes().flatMap(({ routeId }) => lab.mesh.explain(routeId, 0) ?? [])
    this.#foundOut(nodes)
    for (const story of stories) {
      this.#moves(story, nodes, ill)
      this.#newcomer(story, nodes, ill)
      this.#left(story, nodes, ill)
    }
    this.#routes = new Map(
      stories.map(({ routeId, nodeId, history: { moved } }) => [routeId, { nodeId, moved }]),
    )
    this.#ill = ill
    this.#lookedMs = lab.clock.wallMs()
  }

  #foundOut(nodes: readonly NodeView[]): void {
    for (const { id, state, ailment } of nodes) {
      const isFull = this.#world.overloaded.has(id)
      const online = state === 'online'
      must(
        this.#lasting(`${id} full`, online && isFull && ailment === null) <= FOUND_OUT_MS,
        `the uplink of ${id} is full since long, and nobody has noticed`,
      )
      must(
        this.#lasting(`${id} has room`, online && !isFull && ailment === 'uplink') <= FOUND_OUT_MS,
        `${id} has room since long, and passes for one whose uplink is full`,
      )
    }
  }

  /** A route that has just left a node for how it carries had rested there, and still has its old link. */
  #moves(
    { routeId, clientId, nodeId, history, assignedAtMs }: RouteStory,
    nodes: readonly NodeView[],
    ill: ReadonlySet<string>,
  ): void {
    const { moves, moved } = history
    const last = moves.at(-1)
    const before = this.#routes.get(routeId)
    if (before === undefined || before.moved === moved || last?.cause !== 'node_degraded') return
    const restedMs = last.atMs - (moves.at(-2)?.atMs ?? assignedAtMs)
    must(
      restedMs >= TIMING.routeDwellMs,
      `${clientId} left ${last.from} for ${last.to} after ${restedMs} ms, for how it carries`,
    )
    must(this.#ill.has(last.from) || ill.has(last.from), `${clientId} left ${last.from}, which carries well`)
    must(
      !(this.#ill.has(last.to) && ill.has(last.to)),
      `${clientId} left ${last.from} for ${last.to}, which carries badly too`,
    )
    const from = nodes.find(({ id }) => id === last.from)
    const stands = this.#world.lab.mesh.routes().filter(route => route.nodeId === last.from).length
    const wasGentle = from === undefined || from.state !== 'online' || from.links > stands
    // It lingers for a second, so at the first look after the move it is there.
    const isRecent = last.atMs > this.#lookedMs && this.#lookedMs + GRACE_MS > this.#world.lab.clock.wallMs()
    must(!isRecent || nodeId !== last.to || wasGentle, `${clientId} left ${last.from}, and its link was cut`)
  }

  /** Who has just been given a route is not on a node that carries badly while another qualifies. */
  #newcomer(
    { routeId, clientId, nodeId, wish }: RouteStory,
    nodes: readonly NodeView[],
    ill: ReadonlySet<string>,
  ): void {
    if (this.#routes.has(routeId) || this.#routes.size === 0 || !this.#ill.has(nodeId) || !ill.has(nodeId))
      return
    const other = nodes.find(
      node =>
        node.id !== nodeId && meets(node.id, wish) && this.#isWelcome(node, ill) && this.#roomOf(node) >= 1,
    )
    must(
      other === undefined,
      `${clientId} was sent to ${nodeId}, which carries badly, although ${other?.id} qualifies`,
    )
  }

  /** A route does not stay on a node whose uplink is full while a roomy one could take it. */
  #left(
    { clientId, nodeId, wish, history, assignedAtMs }: RouteStory,
    nodes: readonly NodeView[],
    ill: ReadonlySet<string>,
  ): void {
    const { lab } = this.#world
    const ailment = nodes.find(({ id }) => id === nodeId)?.ailment
    const restedMs = lab.clock.wallMs() - (history.moves.at(-1)?.atMs ?? assignedAtMs)
    const isThere = lab.mesh.clients().some(({ id, state }) => id === clientId && state === 'online')
    const other = nodes.find(
      node =>
        node.id !== nodeId &&
        meets(node.id, wish) &&
        this.#isWelcome(node, ill) &&
        node.flaps < 1 &&
        this.#roomOf(node) >= Math.max(1, (1 - ROOMY) * this.#world.placesOf(node.id)),
    )
    const mayLeave = ailment === 'uplink' && isThere && restedMs > TIMING.routeDwellMs && other !== undefined
    must(
      this.#lasting(`${clientId} on full ${nodeId}`, mayLeave) <= LEFT_MS,
      `${clientId} stays on ${nodeId}, whose uplink is full, although ${other?.id} could take it`,
    )
  }

  /** Whether routes may go there, and have been able to for a while. */
  #isWelcome({ id, state, ailment }: NodeView, ill: ReadonlySet<string>): boolean {
    const { drained } = this.#world
    const isWell =
      state === 'online' && ailment === null && !ill.has(id) && !this.#ill.has(id) && !drained.has(id)
    return this.#lasting(`${id} welcome`, isWell && !this.#world.isLoaded(id)) > GRACE_MS
  }

  #roomOf({ id, reserved }: NodeView): number {
    return Math.min(this.#world.placesOf(id), Number.MAX_SAFE_INTEGER) - reserved
  }

  /** Returns for how long `what` has held without a break, of coordinators too, ms. */
  #lasting(what: string, holds: boolean): number {
    const { now, reference, brokeMs } = this.#world
    if (!holds) this.#since.delete(what)
    else if (!this.#since.has(what)) this.#since.set(what, now)
    return holds ? now - Math.max(this.#since.get(what) ?? now, reference.bootMs, brokeMs) : 0
  }
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
