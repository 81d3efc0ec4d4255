/** The coordinator without a shell: every room wired together, no socket and no process-wide state. */
import { createActor } from 'xstate'
import { Admission } from '../actors/admission/admission.js'
import { Bars } from '../actors/admission/bars.js'
import { Challenges } from '../actors/admission/challenges.js'
import { Gate } from '../actors/admission/gate.js'
import { Guard } from '../actors/admission/guard.js'
import { Identities } from '../actors/admission/identities.js'
import { type AdmissionRate, DEFAULT_ADMISSION, Pacing } from '../actors/admission/pacing.js'
import { clusterMachine } from '../actors/cluster/cluster.machine.js'
import { createCoordinator } from '../actors/coordinator/coordinator.effects.js'
import type { CoordinatorEvent } from '../actors/coordinator/coordinator.machine.js'
import { Fleet } from '../actors/coordinator/fleet.js'
import { Orders } from '../actors/coordinator/orders.js'
import { Routing } from '../actors/coordinator/routing.js'
import { Vitals } from '../actors/coordinator/vitals.js'
import { Drains } from '../actors/drain/drains.js'
import { Facts } from '../actors/facts.js'
import { PathLedger } from '../actors/path/ledger.js'
import { NatProbes } from '../actors/nat-probe/nat-probes.js'
import { Ear } from '../actors/path/ear.js'
import { Paths } from '../actors/path/paths.js'
import { mayReach } from '../actors/path/reach.js'
import { JobWords } from '../actors/job-words.js'
import { Reports } from '../actors/reports.js'
import { Presence } from '../actors/presence.js'
import type {
  AuditEvent,
  Change,
  Fact,
  Intake,
  Journal,
  MeshApi,
  PathTraffic,
  Store,
  Traversal,
} from '../actors/ports.js'
import { earAt, Whereabouts } from '../actors/path/whereabouts.js'
import { watchRelay } from '../actors/relay/relay.effects.js'
import { serverMachine } from '../actors/server/server.machine.js'
import type { Cell } from '../actors/session/cell.js'
import { sessionLogics } from '../actors/session/session.effects.js'
import { maySay } from '../actors/session/session.events.js'
import { Sessions } from '../actors/session/sessions.js'
import { Snapshots } from '../actors/snapshot/snapshots.js'
import { Steerings } from '../actors/steering/steerings.js'
import { createIntake } from '../edge/intake.js'
import type { EdgeLimits } from '../edge/limits.js'
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import { HeartbeatLedger } from '../lanes/heartbeat-ledger.js'
import { RelayLane, type RelayLaneOptions } from '../lanes/relay-lane.js'
import { RelayTable } from '../lanes/relay-table.js'
import type { Wire } from '../protocol/messages.js'
import { agreed, policyOf, type PolicyRule } from '../mesh/path-policy.js'
import { TIMING } from '../protocol/timing.js'
import { actorViews } from './actor-view.js'
import { createEnrolmentKey, enrolIdentity } from './enrolment.js'
import { identityViews } from './identity-view.js'
import { interventions } from './interventions.js'
import { pictureView } from './mesh-picture.js'
import { meshView } from './mesh-view.js'
import { trafficOf, trafficWith } from './path-view.js'
import { restore } from './restore.js'
import { routeViews } from './route-view.js'
import { steeringView } from './steering-view.js'

/** What the mesh needs of a logger; pino fits. Values are fields, never in the text. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export type Limits = EdgeLimits
export type RelayOptions = RelayLaneOptions
export type Timing = { readonly [K in keyof typeof TIMING]: number }

/**
 * In all as many may greet as a core welcomes in two seconds. Who is one too many in a storm is sent away before the
 * upgrade and has no slot yet when it comes back, so it is told to wait twice.
 */
export const DEFAULT_LIMITS: Limits = {
  greetingPerAddress: 64,
  greetingTotal: 16_384,
  sessionsPerAddress: 10_000,
  hellosPerSecond: 20,
  helloBurst: 100,
  strikesPerMinute: 3,
  pingsPerSecond: 10,
  controlPerSecond: 20,
  controlBurst: 400,
}

export const DEFAULT_RELAY: RelayOptions = {
  mbpsPerIdentity: 1_000,
  payload: 'wireguard',
  queuePackets: 32,
  queueMs: 200,
}

export interface MeshOptions {
  readonly serverId: string
  readonly clock: Clock
  readonly random: Random
  readonly store: Store
  readonly journal: Journal
  readonly log: Log
  /** STUN and TURN, for the agents; absent: none. */
  readonly traversal?: Traversal
  readonly timing?: Partial<Timing>
  readonly limits?: Partial<Limits>
  /** How fast sessions are let in. */
  readonly admission?: Partial<AdmissionRate>
  readonly relay?: Partial<RelayOptions>
  /** How often each agent is asked about the NAT in front of it, ms. */
  readonly natProbeEveryMs?: number
  /** Which ways packets may travel, beside what agents ask for themselves. */
  readonly pathPolicy?: readonly PolicyRule[]
  /** How often what changed is written to the store, ms. */
  readonly snapshotEveryMs?: number
}

export interface Mesh extends MeshApi {
  readonly intake: Intake
  /** Whether the identity has a session, with or without a socket. */
  isPresent(id: string): boolean
  /** Whether a TURN relay of this identity may reach an address: another end of its paths says that it is there. */
  mayReach(id: string, address: string): boolean
  /** Restores what the store and the journal hold, then serves. */
  start(): Promise<void>
  /** Tells every session its slot, `spreadMs` after the first at most, writes the snapshot, then closes the sockets. */
  stop(options?: { readonly spreadMs?: number; readonly tryForMs?: number }): Promise<void>
}

/** NATs change rarely without their agent noticing: now and then is enough, ms. */
export const DEFAULT_NAT_PROBE_EVERY_MS = 1_200_000
/** What a node's session hears of its probe. */
const PROBE_FACTS = {
  begun: 'probe.begun',
  classified: 'nat.classified',
  unanswered: 'probe.unanswered',
} as const

/** How long the sessions of the process before have to come back before their routes move, ms. */
const WARMING_MS = 10_000
/** The first slot to come back in, ms: by then the next process usually listens. */
const RETURN_LEAD_MS = 1_000
/** Slots are this far apart, ms, as long as all of them fit into the spread. */
const RETURN_EVERY_MS = 20
/** What `stop` gives the last messages to leave before sockets close, ms. */
const PARTING_MS = 100
/** Our own standing still for longer than this sheds new sessions, ms; calm for CALM_MS ends it. */
const PRESSURE_MS = 1_000
const CALM_MS = 5_000

export function createMesh(options: MeshOptions): Mesh {
  const { serverId, clock, random, store, journal, log } = options
  const timing: Timing = { ...TIMING, ...options.timing }
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits }
  const relayOptions: RelayOptions = { ...DEFAULT_RELAY, ...options.relay }
  const silenceMs = timing.beatEveryMs * timing.silenceBeats
  const counters = { registered: 0, resumed: 0, replaced: 0, faults: 0 }
  const denied: Record<string, number> = {}
  const count = (reason: string) => {
    denied[reason] = (denied[reason] ?? 0) + 1
  }

  const facts = new Facts<Fact>((error, { type }) =>
    log.error({ err: error, fact: type }, 'a listener failed'),
  )
  const presence = new Presence({ wallMs: () => clock.wallMs(), tell: fact => facts.tell(fact) })
  const traffic = new Facts<PathTraffic>((error, { pathId }) =>
    log.error({ err: error, pathId }, 'a listener failed'),
  )
  const audited = new Facts<AuditEvent>((error, { kind }) =>
    log.error({ err: error, kind }, 'a listener failed'),
  )
  const reports = new Reports((error, { identity }) =>
    log.warn({ err: error, id: identity.id }, 'a report could not be taken'),
  )
  const jobWords = new JobWords({
    cellOf: id => sessions.byIdentity(id),
    failed: (error, { identity }) =>
      log.warn({ err: error, id: identity.id }, 'what a node says of a job could not be taken'),
  })
  const server = createActor(serverMachine)
  const cluster = createActor(clusterMachine)
  const table = new RelayTable()
  const ledger = new HeartbeatLedger()
  const identities = new Identities()
  const challenges = new Challenges(clock, random)
  const bars = new Bars(clock)
  const guard = new Guard()
  const pacing = new Pacing({ clock, random, rate: { ...DEFAULT_ADMISSION, ...options.admission } })
  const snapshots = new Snapshots({
    clock,
    random,
    store,
    journal,
    everyMs: options.snapshotEveryMs ?? 500,
    warn: (fields, message) => log.warn(fields, message),
    audited: event => audited.tell(event),
  })

  const steerings = new Steerings({
    clock,
    keep: value => snapshots.touch({ kind: 'steering', key: value.identityId, value }),
  })

  const lane = new RelayLane(clock, table, relayOptions, {
    gone: (slot, link, reason) => sessions.at(slot)?.line?.tell({ type: 'relay.gone', link, reason }),
    pressure: (slot, link, dropped, queueMs) =>
      sessions.at(slot)?.line?.tell({ type: 'relay.pressure', link, dropped, queueMs }),
    stuck: slot => {
      count('slow_consumer')
      sessions.at(slot)?.line?.close('slowConsumer', 'nothing was read for too long')
    },
  })

  const sessions = new Sessions({
    clock,
    timing: {
      lapseMs: timing.beatEveryMs * timing.lapseBeats,
      silenceMs,
      resumeWindowMs: timing.resumeWindowMs,
    },
    heardMs: slot => ledger.heardMs(slot),
    stalled: lagMs => {
      ledger.forgive(lagMs)
      if (lagMs > PRESSURE_MS) underPressure(lagMs)
    },
    faulted: (cell, error) => faulted(cell, error),
  })

  const rules = options.pathPolicy ?? []
  // What goes past the relay nobody can hold to a rate.
  const policyOfEnd = ({ identity, terms }: Cell) => {
    const policy = policyOf(rules, identity)
    return terms.bytesPerSecond === null ? policy : agreed(policy, 'relay-only')
  }
  const pathLedger = new PathLedger({
    clock,
    keep: value => snapshots.touch({ kind: 'path', key: value.pathId, value }),
    grown: record => {
      if (traffic.areHeard) traffic.tell(trafficOf(record))
    },
  })
  const { traversal } = options
  const ear = traversal === undefined ? null : new Ear({ clock, traversal })
  const paths = new Paths({
    clock,
    random,
    table,
    ledger: pathLedger,
    whereabouts: new Whereabouts({ ear, earAt: () => earAt(traversal?.stunServers() ?? []) }),
    policyOf: policyOfEnd,
    natOf: end => natProbes.natOf(end.identity.id),
    rttMs: end => ledger.rttMs(end.slot),
    moved: end => natProbes.networkChanged(end),
    hasStun: () => (options.traversal?.stunServers().length ?? 0) > 0,
    hasTurn: end =>
      options.traversal?.iceServers(end.identity.id).some(([uri]) => uri.startsWith('turn')) ?? false,
    openMs: timing.pathOpenMs,
    failed: ({ link }, end, reason) => coordinator.actor.send({ type: 'path.failed', link, end, reason }),
    carried: link => routing.switches.handovers.carried(link),
    faulted: ({ link }, error) => {
      counters.faults++
      log.error({ err: error, link }, 'a path failed and was closed')
    },
  })
  const vitals = new Vitals({ clock, lossesOf: ({ cell }) => paths.lossesTo(cell) })
  const fleet = new Fleet({
    gauges: ledger,
    lossPctOf: ({ identity }) => vitals.lossPctOf(identity.id),
    flapsOf: ({ identity }) => vitals.flapsOf(identity.id),
    dropPctOf: ({ identity }) => vitals.dropPctOf(identity.id),
    policyOf: policyOfEnd,
    natOf: end => natProbes.natOf(end.identity.id),
    steeringOf: id => steerings.of(id),
    tell: (node, event) => sessions.deliver(node, event),
  })
  // Before the drains, which hear of it too, look for what the node may carry.
  steerings.onChange(id => {
    const cell = sessions.byIdentity(id)
    if (cell === undefined) return
    if (cell.role === 'node') fleet.steer(cell)
    coordinator.actor.send({ type: 'steering.changed', cell })
  })
  const routing = new Routing({
    clock,
    random,
    fleet,
    paths,
    dwellMs: timing.routeDwellMs,
    changes: snapshots,
    deliver: (cell, event) => sessions.deliver(cell, event),
    moved: ({ routeId, client, history }, { atMs, from, to, cause }) =>
      facts.tell({
        type: 'route.switched',
        atMs,
        routeId,
        clientId: client.identity.id,
        from,
        to,
        cause,
        moved: history.moved,
      }),
    handoverDue: client => coordinator.actor.send({ type: 'handover.due', client }),
    patienceOver: client => coordinator.actor.send({ type: 'patience.over', client }),
    faulted: (cell, error) => faulted(cell, error),
  })
  const orders = new Orders(fleet, routing)
  const drains = new Drains({
    clock,
    fleet,
    routing,
    steerings,
    changes: snapshots,
    cellOf: id => sessions.byIdentity(id),
    deliver: (cell, event) => sessions.deliver(cell, event),
    mayMove: hasAsked => {
      const state = coordinator.actor.getSnapshot()
      return state.matches('serving') || (hasAsked && state.matches('warming'))
    },
    faulted: (cell, error) => faulted(cell, error),
    failed: (id, error) => {
      counters.faults++
      log.error({ err: error, id }, 'the drain of a node failed and was ended')
    },
    info: (fields, message) => log.info(fields, message),
  })
  let restored = 0
  const coordinator = createCoordinator({
    clock,
    fleet,
    routing,
    orders,
    vitals,
    drains,
    steeredTo: id =>
      [...steerings].flatMap(([each, { prefer }]) =>
        prefer.includes(id) ? (sessions.byIdentity(each) ?? []) : [],
      ),
    beatEveryMs: timing.beatEveryMs,
    failoverAfterMs: timing.failoverAfterMs,
    warmingMs: isStorm => (isStorm || restored > 0 ? WARMING_MS : 0),
    sessions: () => sessions.size,
    flapping: ({ identity: { id, generation } }, flaps) =>
      facts.tell({ type: 'node.flapping', atMs: clock.wallMs(), id, generation, flaps }),
    holdNewcomers: () => pacing.hold('register', CALM_MS),
    faulted: (cell, error) => faulted(cell, error),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
  })
  const natProbes = new NatProbes({
    clock,
    random,
    traversal: options.traversal ?? null,
    everyMs: options.natProbeEveryMs ?? DEFAULT_NAT_PROBE_EVERY_MS,
    progress: (cell, what) => {
      if (cell.role === 'node') sessions.deliver(cell, { type: PROBE_FACTS[what] })
      paths.natChanged(cell)
    },
    faulted: (cell, error) => {
      counters.faults++
      log.error({ err: error, id: cell.identity.id }, 'the probe of a NAT failed and was ended')
    },
    debug: (fields, message) => log.debug(fields, message),
    warn: (fields, message) => log.warn(fields, message),
  })
  const tellCoordinator = (event: CoordinatorEvent) => {
    coordinator.actor.send(event)
    if (event.type !== 'session.told') return
    natProbes.told(event.cell, event.fact)
    presence.hear(event.cell, event.fact)
  }

  const logics = sessionLogics({
    clock,
    random,
    sessions,
    identities,
    paths,
    changes: snapshots,
    traversal: options.traversal ?? null,
    timing: { beatEveryMs: timing.beatEveryMs, silenceMs, resumeWindowMs: timing.resumeWindowMs },
    coordinator: tellCoordinator,
    greeted: (cell, by) => drains.greeted(cell, by),
    count: what => counters[what]++,
    lanes: {
      attach: (slot, socket) => {
        ledger.open(slot, clock.now())
        lane.attach(slot, socket)
      },
      detach: slot => lane.detach(slot),
      forget: slot => {
        lane.forget(slot)
        ledger.wipe(slot)
      },
    },
  })

  const gate = new Gate({
    guard,
    sessions,
    count,
    changed: (cell, before) => {
      const { bytesPerSecond } = cell.terms
      const isOtherRate = bytesPerSecond !== before.bytesPerSecond
      if (isOtherRate) {
        lane.throttle(cell.slot, bytesPerSecond)
        if (cell.role === 'node') fleet.steer(cell)
      }
      coordinator.actor.send({ type: 'steering.changed', cell })
      if (isOtherRate) paths.policyChanged(cell)
    },
  })
  const admission = new Admission({
    serverId,
    clock,
    random,
    store,
    sessions,
    identities,
    challenges,
    changes: snapshots,
    pacing,
    bars,
    guard,
    gate,
    count,
    faulted: (cell, error) => faulted(cell, error),
    info: (fields, message) => log.info(fields, message),
    draining: () => coordinator.actor.getSnapshot().matches('draining'),
  })

  const relay = watchRelay({
    clock,
    lane,
    log,
    told: (what, dropped) => facts.tell({ type: `relay.${what}`, atMs: clock.wallMs(), dropped }),
  })

  const intake = createIntake({
    serverId,
    clock,
    limits,
    greetingMs: timing.greetingMs,
    nextChallenge: () => challenges.next(),
    door: {
      register: (line, challenge, hello) => admission.register(line, challenge, hello),
      resume: (line, hello) => admission.resume(line, hello),
      enter: (line, hello, vouch) => admission.enter(line, hello, vouch),
      control: (slot, event) => {
        const cell = sessions.at(slot)
        return cell !== undefined && hear(cell, event)
      },
      between: () => lane.hasten(),
      forward: (slot, message, at) => lane.forward(slot, message, at),
      turn: () => lane.now(),
      beat: (slot, message, at, now) => ledger.beat(slot, message, at, now),
      beatList: (slot, list, now) => ledger.beatList(slot, list, now),
      ack: ledger.ack,
      heard: (slot, now) => ledger.heard(slot, now),
      linksOf: slot => sessions.at(slot)?.links?.size ?? 0,
      drained: slot => lane.drained(slot),
      // A socket that was replaced says nothing about the session that goes on over a newer one.
      broke: (connection, slot) => {
        if (sessions.at(slot)?.line === connection) coordinator.noteLoss()
      },
      lost: (connection, slot) => {
        const cell = sessions.at(slot)
        if (cell !== undefined && cell.line === connection) sessions.deliver(cell, { type: 'socket.lost' })
      },
      count,
      faulted: (connection, slot, error) => {
        const cell = sessions.at(slot)
        if (cell !== undefined && cell.line === connection) return faulted(cell, error)
        counters.faults++
        log.error({ err: error, remote: connection.socket.remote }, 'a connection failed and was closed')
        connection.close('faulted', 'the connection failed inside the coordinator')
      },
    },
  })

  /** Turns what an agent said into the event it means; false when this role may not say it. */
  function hear(cell: Cell, event: Wire): boolean {
    if (!maySay(cell.role, event)) return false
    switch (event.type) {
      case 'route.request': {
        if (gate.look(cell) !== null) return true
        const { type: _, requestId, ...wish } = event
        sessions.deliver(cell, { type: 'route.wanted', requestId, wish })
        return true
      }
      case 'route.release':
        sessions.deliver(cell, { type: 'route.unwanted', routeId: event.routeId })
        return true
      case 'drain.request':
        drains.requested(cell, event)
        return true
      // A link that was closed a moment ago may still be spoken of: no fault of the agent.
      case 'path.ready':
        paths.ready(event.link, cell, event.ownPort)
        return true
      case 'path.closed':
        paths.declined(event.link, cell, event.reason)
        return true
      case 'path.report':
        paths.report(event.link, cell, event)
        return true
      case 'probe.report':
        natProbes.reported(cell, event)
        return true
      case 'path.signal':
        paths.signalled(event.link, cell, event)
        return true
      case 'path.attempt':
        paths.attempted(event.link, cell, event)
        return true
      case 'report.batch':
        reports.received(cell, event)
        return true
      case 'job.progress':
      case 'job.done':
      case 'job.ready':
        jobWords.received(cell, event)
        return true
      case 'renew':
        sessions.deliver(cell, { type: 'asked.renewal' })
        return true
      case 'goodbye':
        sessions.deliver(cell, { type: 'said.goodbye', reason: event.reason })
        return true
      case 'error':
        log.debug(
          { id: cell.identity.id, code: event.code, about: event.about },
          'an agent did not understand us',
        )
        return true
    }
  }

  /** Our own fault: one session is closed and its agent comes back; everyone else goes on. */
  function faulted(cell: Cell, error: unknown): void {
    counters.faults++
    log.error(
      { err: error, id: cell.identity.id, sessionId: cell.sessionId },
      'a session failed and was closed',
    )
    cell.line?.close('faulted', 'the session failed inside the coordinator')
    cell.incoming?.close('faulted', 'the session failed inside the coordinator')
    cell.line = null
    lane.forget(cell.slot)
    ledger.wipe(cell.slot)
    sessions.forget(cell)
    tellCoordinator({ type: 'session.told', cell, fact: 'left' })
    snapshots.touch({ kind: 'identity', key: cell.identity.id, value: cell.identity })
  }

  /** Lets a session go on on the terms that hold now, or ends it. One at its first contact is looked at when it has enrolled. */
  function reconsider(cell: Cell): void {
    if (cell.identity.overlay4 === '') return
    try {
      gate.look(cell)
    } catch (error) {
      faulted(cell, error)
    }
  }

  let calm: object | number | undefined
  function underPressure(lagMs: number): void {
    log.warn({ lagMs: Math.round(lagMs) }, 'the event loop stood still; new sessions wait')
    coordinator.actor.send({ type: 'pressure.high' })
    clock.clearTimeout(calm)
    calm = clock.setTimeout(() => coordinator.actor.send({ type: 'pressure.low' }), CALM_MS)
  }

  const view = meshView({
    serverId,
    clock,
    server,
    sessions,
    paths,
    pathLedger,
    identities,
    guard,
    store,
    natProbes,
    routing,
    coordinator: coordinator.actor,
    drains,
    fleet,
    vitals,
    lane,
    table,
    ledger,
    snapshots,
    intake,
    counters,
    denied,
    admitted: admission.admitted,
    pacing,
  })

  return {
    ...view,
    ...routeViews({
      clock,
      sessions,
      book: routing.book,
      orders,
      switches: routing.switches,
      paths,
      steerings,
      changes: snapshots,
      coordinator: coordinator.actor,
    }),
    ...steeringView({ identities, steerings, changes: snapshots }),
    ...pictureView({ clock, sessions, identities, fleet, vitals, ledger, paths, pathLedger }),
    ...actorViews({
      clock,
      lapseMs: timing.beatEveryMs * timing.lapseBeats,
      sessions,
      paths,
      natProbes,
      drains,
      ledger,
      intake,
      single: {
        server,
        cluster,
        coordinator: coordinator.actor,
        snapshot: snapshots.actor,
        relay: relay.actor,
      },
    }),
    ...interventions({
      clock,
      identities,
      sessions,
      bars,
      natProbes,
      paths,
      traversal: options.traversal ?? null,
      changes: snapshots,
      tell: fact => facts.tell(fact),
    }),
    ...identityViews({ serverId, identities, guard, sessions, challenges, intake }),
    onFact: hear => facts.on(hear),
    onTraffic: hear => traffic.on(hear),
    trafficNow: id =>
      [...(sessions.byIdentity(id)?.links ?? [])].flatMap(link => {
        const record = pathLedger.of(link)
        return record === undefined ? [] : [trafficWith(record, table.traffic(link))]
      }),
    endedTraffic: async (sinceMs, after, limit) =>
      (await store.endedPaths(sinceMs, after, limit)).map(trafficOf),
    takeReports: take => reports.taken(take),
    onJobWord: hear => jobWords.heard(hear),
    offerJob: (id, offer) => jobWords.offer(id, offer),
    audit: event => snapshots.audit(event),
    onAudit: hear => audited.on(hear),
    intake,

    async start() {
      server.start()
      cluster.start()
      server.send({ type: 'store.ready' })
      sessions.start(logics)
      const found = await store.load()
      const replayed: readonly Change[] = journal.replay()
      restored = restore({
        found,
        replayed,
        identities,
        steerings,
        sessions,
        routing,
        fleet,
        snapshots,
        ledger: pathLedger,
        wallMs: clock.wallMs(),
      })
      drains.restore()
      server.send({ type: 'restored' })
      coordinator.actor.start()
      snapshots.start()
      natProbes.start()
      relay.start()
      server.send({ type: 'listening' })
      log.info(
        { serverId, restored, identities: identities.size, routes: routing.book.size },
        'the mesh serves',
      )
    },

    async stop({ spreadMs = 5_000, tryForMs = timing.resumeWindowMs } = {}) {
      server.send({ type: 'stop' })
      coordinator.actor.send({ type: 'drain' })
      const online = [...sessions.cells()].filter(cell => cell.line !== null)
      const spread = Math.min(spreadMs, online.length * RETURN_EVERY_MS)
      for (const [i, cell] of online.entries()) {
        // Its own slot: evenly spread, and blurred by one place so that two coordinators do not march in step.
        const reconnectInMs = Math.round(RETURN_LEAD_MS + ((i + random.float()) / online.length) * spread)
        cell.line?.tell({ type: 'restarting', reconnectInMs, tryForMs })
      }
      await new Promise<void>(resolve => clock.setTimeout(resolve, PARTING_MS))
      intake.shut('restarting')
      for (const cell of online) sessions.deliver(cell, { type: 'socket.lost' })
      pathLedger.flush()
      const flushed = await snapshots.flush()
      if (!flushed)
        log.warn({ dirty: snapshots.dirty }, 'the store did not take the last snapshot; the journal keeps it')
      server.send({ type: 'flushed' })
      clock.clearTimeout(calm)
      snapshots.stop()
      relay.stop()
      lane.stop()
      coordinator.stop()
      drains.stop()
      natProbes.stop()
      ear?.close()
      paths.stop()
      sessions.stop()
      cluster.stop()
    },

    isPresent: id => sessions.byIdentity(id) !== undefined,

    mayReach(id, address) {
      const cell = sessions.byIdentity(id)
      return cell !== undefined && mayReach(paths, cell, address)
    },

    drain(id, { withinMs, actor }) {
      return identities.of(id)?.role === 'node' ? drains.ask(id, withinMs, actor) : null
    },
    cancelDrain: (id, actor) => drains.cancel(id, actor),

    guard(termsOf) {
      const stop = guard.set(termsOf)
      for (const cell of sessions.cells()) reconsider(cell)
      return stop
    },
    termsChanged(id) {
      const cell = sessions.byIdentity(id)
      if (cell !== undefined) reconsider(cell)
    },
    enrol: wish => enrolIdentity(store, identities, clock, wish),
    createEnrolmentKey: wish => createEnrolmentKey(store, snapshots, random, clock, wish),

    async revokeEnrolmentKey(keyId, actor) {
      if (!(await store.revokeEnrolmentKey(keyId, clock.wallMs()))) return false
      snapshots.audit({ kind: 'enrolment_key.revoked', actor, subject: keyId, detail: {} })
      facts.tell({
        type: 'key.revoked',
        atMs: clock.wallMs(),
        subject: 'enrolment_key',
        id: keyId,
        by: actor,
      })
      return true
    },
  }
}
