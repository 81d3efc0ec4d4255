/** The actors of the mesh as operators see them: each kind, where it is found, and what is shown of it. */
import type { AnyActorRef, AnyStateMachine } from 'xstate'
import { clientMachine } from '../actors/client/client.machine.js'
import { clusterMachine } from '../actors/cluster/cluster.machine.js'
import { coordinatorMachine } from '../actors/coordinator/coordinator.machine.js'
import { drainMachine } from '../actors/drain/drain.machine.js'
import type { Drains } from '../actors/drain/drains.js'
import { natProbeMachine } from '../actors/nat-probe/nat-probe.machine.js'
import type { NatProbes, Probe } from '../actors/nat-probe/nat-probes.js'
import { nodeMachine } from '../actors/node/node.machine.js'
import { type PathCell, reasonOf, tierOf, viaOf } from '../actors/path/path-cell.js'
import { pathMachine } from '../actors/path/path.machine.js'
import type { Paths } from '../actors/path/paths.js'
import type { ActorId, ActorView, MeshApi, Role, Terms } from '../actors/ports.js'
import { relayMachine } from '../actors/relay/relay.machine.js'
import { serverMachine } from '../actors/server/server.machine.js'
import type { Cell } from '../actors/session/cell.js'
import type { Sessions } from '../actors/session/sessions.js'
import { snapshotMachine } from '../actors/snapshot/snapshot.machine.js'
import { pageOf } from '../actors/tap/page.js'
import { plain } from '../actors/tap/plain.js'
import { sharedSource } from '../actors/tap/shared-source.js'
import { type ActorSource, Tap, type Told } from '../actors/tap/tap.js'
import { xstateSource } from '../actors/tap/xstate-source.js'
import type { SocketIntake } from '../edge/intake.js'
import type { Clock } from '../kit/clock.js'
import type { HeartbeatLedger } from '../lanes/heartbeat-ledger.js'
import { asBytes } from './columns.js'

export interface ActorParts {
  readonly clock: Clock
  /** Silence after which a session lapses, ms. */
  readonly lapseMs: number
  readonly sessions: Sessions
  readonly paths: Paths
  readonly natProbes: NatProbes
  readonly drains: Drains
  readonly ledger: HeartbeatLedger
  readonly intake: SocketIntake
  /** Those of which there is one. */
  readonly single: Readonly<Record<'server' | 'cluster' | 'coordinator' | 'snapshot' | 'relay', AnyActorRef>>
}

const SINGLE_MACHINES = {
  server: serverMachine,
  cluster: clusterMachine,
  coordinator: coordinatorMachine,
  snapshot: snapshotMachine,
  relay: relayMachine,
} as const

type Shown = Pick<MeshApi, 'actors' | 'actor' | 'watchActor' | 'statecharts'>

/** Returns what `MeshApi` tells of actors. */
export function actorViews(parts: ActorParts): Shown {
  const { clock } = parts
  const tap = new Tap(clock)
  const messages = new Messages(parts.intake, parts.sessions)
  for (const source of [
    ...singles(parts),
    sessionSource('node', nodeMachine, parts, messages),
    sessionSource('client', clientMachine, parts, messages),
    probeSource(parts),
    pathSource(parts),
    drainSource(parts),
  ])
    tap.add(source)
  return {
    actors: wish => pageOf(tap.rows(wish.kinds ?? null), wish, clock),
    actor: id => tap.view(id),
    watchActor: (id, hear) => tap.watch(id, hear),
    statecharts: () => tap.statecharts,
  }
}

function singles({ single }: ActorParts): ActorSource[] {
  return Object.entries(single).map(([name, actor]) => {
    const kind = name as keyof typeof single // its keys are these
    return xstateSource({
      kind,
      machine: SINGLE_MACHINES[kind],
      each: () => [actor],
      one: each => (each === '' ? actor : undefined),
      nameOf: () => '',
      actorOf: each => each,
      row: { parent: () => (kind === 'server' ? null : 'server') },
    })
  })
}

function sessionSource(
  role: Role,
  machine: AnyStateMachine,
  { clock, lapseMs, sessions, paths, ledger, natProbes }: ActorParts,
  messages: Messages,
): ActorSource {
  const ofRole = (cell: Cell | undefined) => (cell?.role === role ? cell : undefined)
  const linksOf = (cell: Cell) => [...(cell.links ?? [])]
  return sharedSource<Cell>({
    kind: role,
    machine,
    observe: hear => sessions.observe(role, hear),
    *each() {
      for (const cell of sessions.cells()) if (cell.role === role) yield cell
    },
    one: name => ofRole(sessions.byIdentity(name)),
    nameOf: cell => cell.identity.id,
    row: {
      parent: () => 'server',
      country: cell => cell.identity.profile.country,
      about: cell => [...links(cell.links?.size ?? 0), ...rate(cell.terms)].join(', ') || null,
    },
    context: cell => {
      const { identity, sessionId, slot, startedAtMs, lapsed, terms } = cell
      const { id, overlay4, overlay6, generation, profile, createdAtMs } = identity
      return {
        identity: { id, overlay4, overlay6, generation, createdAtMs, profile },
        sessionId,
        slot,
        startedAtMs,
        lapsed,
        terms: { groups: terms.groups, bytesPerSecond: terms.bytesPerSecond },
        ticket: cell.ticket,
        remote: cell.line?.socket.remote ?? null,
        nat: natProbes.natOf(id),
        rttMs: ledger.rttMs(slot),
        gauges: ledger.gauges(slot),
      }
    },
    unreadBytes: cell => cell.line?.socket.buffered() ?? null,
    timers: cell => [
      ...timer('may come back', sessions.windowEndsMs(cell), clock),
      ...(cell.line === null || cell.lapsed
        ? []
        : timer('lapses unless heard', ledger.heardMs(cell.slot) + lapseMs, clock)),
    ],
    neighbours: cell => [
      'coordinator',
      ...(natProbes.probeOf(cell.identity.id) === undefined ? [] : [`nat-probe/${cell.identity.id}`]),
      ...linksOf(cell)
        .slice(0, NEIGHBOURS_MAX)
        .flatMap(link => [`path/${link}`, ...otherEnd(paths.at(link), cell)]),
    ],
    listen: (cell, hear) => messages.listen(cell, hear),
  })
}

/** Of a node with thousands of clients a few are named. */
const NEIGHBOURS_MAX = 25

function otherEnd(path: PathCell | undefined, cell: Cell): ActorId[] {
  if (path === undefined) return []
  const { role, identity } = path.client === cell ? path.node : path.client
  return [`${role}/${identity.id}`]
}

function probeSource({ natProbes, clock }: ActorParts): ActorSource {
  return sharedSource<Probe>({
    kind: 'nat-probe',
    machine: natProbeMachine,
    observe: hear => natProbes.observe(hear),
    each: () => natProbes.probes(),
    one: name => natProbes.probeOf(name),
    nameOf: probe => probe.identityId,
    row: {
      parent: ({ cell }) => `${cell.role}/${cell.identity.id}`,
      country: ({ cell }) => cell.identity.profile.country,
      about: ({ nat: { mapping } }) =>
        mapping === 'unknown' ? null : `${mapping.replaceAll('_', ' ')} mapping`,
    },
    context: ({ nat, agreed, planId, remote }) => ({ nat, agreed, planId, remote }),
    timers: probe => timer('next', natProbes.waitsUntilMs(probe), clock),
    neighbours: ({ cell }) => [`${cell.role}/${cell.identity.id}`],
  })
}

function pathSource({ paths, clock }: ActorParts): ActorSource {
  const ends = ({ client, node }: PathCell): ActorId[] => [
    `client/${client.identity.id}`,
    `node/${node.identity.id}`,
  ]
  return xstateSource<PathCell>({
    kind: 'path',
    machine: pathMachine,
    each: () => paths,
    one: name => (/^\d+$/.test(name) ? paths.at(Number(name)) : undefined),
    nameOf: ({ link }) => String(link),
    actorOf: ({ actor }) => actor,
    row: {
      parent: ({ client }) => `client/${client.identity.id}`,
      country: ({ node }) => node.identity.profile.country,
      reason: path => reasonOf(path, tierOf(path)),
      about(path) {
        const { client, node } = path
        const tier = tierOf(path)
        const [via, why] = [viaOf(path, tier), reasonOf(path, tier)]
        const words = via === null || why === null ? (via ?? why) : `${via}, ${why}`
        return `${client.identity.id} → ${node.identity.id}${words === null ? '' : `: ${words}`}`
      },
    },
    timers: path => paths.waits(path).flatMap(([what, untilMs]) => timer(what, untilMs, clock)),
    neighbours: path => [...ends(path), 'relay', 'coordinator'],
  })
}

const drainSource = ({ drains }: ActorParts): ActorSource =>
  xstateSource({
    kind: 'drain',
    machine: drainMachine,
    each: () => drains,
    one: name => drains.of(name),
    nameOf: ({ nodeId }) => nodeId,
    actorOf: ({ actor }) => actor,
    row: { parent: () => 'coordinator' },
    neighbours: ({ nodeId }) => [`node/${nodeId}`, 'coordinator'],
  })

const links = (count: number): readonly string[] =>
  count === 0 ? [] : [`${count} ${count === 1 ? 'link' : 'links'}`]

const rate = ({ bytesPerSecond }: Terms): readonly string[] =>
  bytesPerSecond === null ? [] : [`held to ${asBytes(bytesPerSecond)}/s`]

function timer(name: string, untilMs: number | null, clock: Clock): ActorView['timers'] {
  return untilMs === null ? [] : [{ name, inMs: Math.max(0, Math.round(untilMs - clock.now())) }]
}

/** What watched sessions say and are told. The sockets tell of nothing while none is watched. */
class Messages {
  readonly #intake: SocketIntake
  readonly #sessions: Sessions
  readonly #hearers = new Map<Cell, (step: Told) => void>()

  constructor(intake: SocketIntake, sessions: Sessions) {
    this.#intake = intake
    this.#sessions = sessions
  }

  listen(cell: Cell, hear: (step: Told) => void): () => void {
    this.#hearers.set(cell, hear)
    this.#intake.overhear((slot, kind, { type, ...data }) => {
      const said = this.#sessions.at(slot)
      const tell = said === undefined ? undefined : this.#hearers.get(said)
      if (said === undefined || tell === undefined) return
      const state = this.#sessions.stateOf(said)
      tell({ kind, event: type, data: plain(data), from: state, to: state, moved: false, actions: [] })
    })
    return () => {
      this.#hearers.delete(cell)
      if (this.#hearers.size === 0) this.#intake.overhear(null)
    }
  }
}
