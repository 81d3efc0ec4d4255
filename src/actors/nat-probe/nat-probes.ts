/**
 * All probes, one for each session whose agent can answer; they share a machine. Says who is asked when, and keeps
 * what was found. A probe that throws ends alone: its session goes on, its NAT stays unknown.
 */
import { createActor, fromTransition } from 'xstate'
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import type { Random } from '../../kit/random.js'
import { classify, lifetimeIn } from '../../mesh/nat-classify.js'
import { type Nat, UNKNOWN_NAT } from '../../mesh/nat.js'
import { planProbe, sharedOut } from '../../mesh/probe-plan.js'
import { endpointText } from '../../protocol/address.js'
import type { WireOf } from '../../protocol/messages.js'
import type { IdentityId, NatStats, Sighting, Traversal } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { SessionFact } from '../session/session.events.js'
import { type Observed, SharedMachine, type Standing } from '../shared-machine.js'
import { NatCensus } from './nat-census.js'
import {
  type NatProbeEvent,
  type NatProbeInput,
  natProbeMachine,
  type Report,
  type Wait,
} from './nat-probe.machine.js'
import { Turns } from './turns.js'

export interface NatProbesOptions {
  readonly clock: Clock
  readonly random: Random
  /** null: nobody can be asked anything. */
  readonly traversal: Traversal | null
  /** How often a NAT is looked at again, ms. */
  readonly everyMs: number
  /** Tells the session how far its probe is. */
  readonly progress: (cell: Cell, what: 'begun' | 'classified' | 'unanswered') => void
  readonly faulted: (cell: Cell, error: unknown) => void
  readonly debug: (fields: object, message: string) => void
  readonly warn: (fields: object, message: string) => void
}

/** An agent is not asked again sooner than this, ms, however often it says that its network has changed. */
const AGAIN_AFTER_MS = 10_000
/** Answers and repetitions take an agent a few seconds; then its report counts as lost, ms. */
const REPORT_MS = 30_000
/** The next probe comes this much earlier or later, so that agents that came together drift apart. */
const JITTER = 0.1
/**
 * What keeps paths from being direct may be an accident of the moment: nothing came back, or two answers differed.
 * It is looked at again after this, ms, the latter when its idle mapping has been watched to the end; then after twice
 * as long each time, until the interval is reached, or a NAT has been found so often that it is believed.
 */
const AGAIN_MS = { unanswered: 30_000, different: 150_000 } as const
const BELIEVED = 2
/** How long an idle mapping is watched, s: RFC 4787 wants two minutes, and a direct path is never as quiet. */
const LIFETIME_S = 120
/** Repeated requests of one test may come from so many endpoints. */
const SOURCES_MAX = 4
/** So many agents that reach no STUN server, and none that does, look like a fault of ours. */
const SUSPICIOUS = 3

export interface Probe extends NatProbeInput {
  readonly cell: Cell
  standing: Standing
  nat: Nat
  /** How often in a row the same was found again. */
  agreed: number
  /** The address that the agent came from when `nat` was found. */
  remote: string | null
  planId: number
  plannedMs: number
  /** Transaction ids that are watched for, and where requests with them came from; kept until the report is weighed. */
  ids: readonly string[]
  /** Those with which it is found out how long an idle mapping lives. */
  idle: readonly string[]
  seen: Map<string, Set<string>> | null
}

interface Idle {
  readonly silenceS: number
  /** null: nobody has asked from there. */
  remind: (() => void) | null
}

export class NatProbes {
  readonly #options: NatProbesOptions
  readonly #root = createActor(fromTransition((state: null) => state, null)).start()
  readonly #machine: SharedMachine<Probe, NatProbeEvent>
  readonly #probes = new Map<IdentityId, Probe>()
  /** Whose transaction ids are out. */
  readonly #byTransaction = new Map<string, Probe>()
  readonly #census = new NatCensus()
  readonly #turns: Turns
  readonly #waits: Deadlines<Probe>
  /** Idle mappings by transaction id, and when they are sent to. */
  readonly #idle = new Map<string, Idle>()
  readonly #silences: Deadlines<string>
  #stopHearing: (() => void) | null = null
  #nextPlan = 1
  #suspected = false

  constructor(options: NatProbesOptions) {
    this.#options = options
    this.#turns = new Turns(options.clock)
    this.#waits = new Deadlines(options.clock, probe => this.#machine.deliver(probe, { type: 'due' }))
    this.#silences = new Deadlines(options.clock, id => {
      this.#idle.get(id)?.remind?.()
      this.#idle.delete(id)
    })
    const at =
      <P>(run: (probe: Probe, params: P) => void) =>
      ({ context }: { context: { identityId: IdentityId } }, params: P) => {
        const probe = this.#probes.get(context.identityId)
        if (probe !== undefined) run(probe, params)
      }
    const machine = natProbeMachine.provide({
      actions: {
        wait: at<{ for: Wait }>((probe, wait) => this.#waits.set(probe, this.#waitMs(probe, wait.for))),
        stopWaiting: at(probe => this.#waits.clear(probe)),
        sendPlan: at(probe => this.#sendPlan(probe)),
        dropPlan: at(probe => this.#dropPlan(probe)),
        classify: at<{ report: Report }>((probe, { report }) => this.#classify(probe, report)),
        supplement: at<{ report: Report }>((probe, { report }) => {
          const mappingLifetimeS = lifetimeIn(report.tests)
          if (mappingLifetimeS !== null) this.#found(probe, { ...probe.nat, mappingLifetimeS })
        }),
        noteSilence: at(probe => {
          options.debug({ id: probe.cell.identity.id }, 'an agent did not report on its NAT')
          options.progress(probe.cell, 'unanswered')
        }),
      },
      guards: { isServed: () => this.#servers().length > 0 },
    })
    this.#machine = new SharedMachine({
      machine,
      root: this.#root,
      isHere: probe => this.#probes.get(probe.identityId) === probe,
      move: (probe, standing) => {
        probe.standing = standing
      },
      faulted: (probe, error) => {
        this.#forget(probe.cell)
        options.faulted(probe.cell, error)
      },
    })
  }

  start(): void {
    this.#stopHearing =
      this.#options.traversal?.onSighting((sighting, remind) => this.#sighted(sighting, remind)) ?? null
  }

  /** Tells every step of every probe; null: to nobody. */
  observe(observer: ((observed: Observed<Probe>) => void) | null): void {
    this.#machine.observe(observer)
  }

  /** Yields every probe, each of the agent that it asks. */
  probes(): IterableIterator<Probe> {
    return this.#probes.values()
  }

  probeOf(id: IdentityId): Probe | undefined {
    return this.#probes.get(id)
  }

  /** Returns until when a probe waits for what is next, monotonic ms; null when it does not. */
  waitsUntilMs(probe: Probe): number | null {
    return this.#waits.dueMs(probe)
  }

  stop(): void {
    this.#stopHearing?.()
    this.#waits.stop()
    this.#silences.stop()
    this.#probes.clear()
    this.#byTransaction.clear()
    this.#idle.clear()
    this.#root.stop()
  }

  /** Returns what is known of the NAT in front of an identity; all of it unknown when nobody could be asked. */
  natOf(id: IdentityId): Nat {
    return this.#probes.get(id)?.nat ?? UNKNOWN_NAT
  }

  /** Hears what becomes of sessions. */
  told(cell: Cell, fact: SessionFact): void {
    if (fact === 'left') return this.#forget(cell)
    if (fact === 'lost') return this.#tell(cell, { type: 'went' })
    if (fact !== 'joined' && fact !== 'returned') return
    if (!cell.identity.profile.can.includes('probe')) return this.#forget(cell)
    const probe = this.#of(cell)
    const afresh = probe.remote === null || probe.remote !== remoteOf(cell)
    this.#machine.deliver(probe, { type: 'came', afresh })
  }

  /** The agent says that its network is another one: what was found may not hold any more. */
  networkChanged(cell: Cell): void {
    this.#tell(cell, { type: 'network.changed' })
  }

  /** An agent reports; what answers an older plan is of no use. */
  reported(cell: Cell, { planId, tests, local }: Report): void {
    const probe = this.#probes.get(cell.identity.id)
    if (probe?.cell === cell && probe.planId === planId)
      this.#machine.deliver(probe, { type: 'reported', report: { planId, tests, local } })
  }

  /** Returns how many sessions are behind each kind of NAT. */
  stats(): readonly NatStats[] {
    return this.#census.stats()
  }

  #of(cell: Cell): Probe {
    const { id } = cell.identity
    const known = this.#probes.get(id)
    if (known?.cell === cell) return known
    if (known !== undefined) this.#forget(known.cell)
    const probe: Probe = {
      identityId: id,
      cell,
      standing: this.#machine.initial,
      nat: UNKNOWN_NAT,
      agreed: 0,
      remote: null,
      planId: 0,
      plannedMs: Number.NEGATIVE_INFINITY,
      ids: [],
      idle: [],
      seen: null,
    }
    this.#probes.set(id, probe)
    this.#census.add(probe.nat)
    return probe
  }

  #tell(cell: Cell, event: NatProbeEvent): void {
    const probe = this.#probes.get(cell.identity.id)
    if (probe?.cell === cell) this.#machine.deliver(probe, event)
  }

  #forget(cell: Cell): void {
    const probe = this.#probes.get(cell.identity.id)
    if (probe?.cell !== cell) return
    this.#waits.clear(probe)
    this.#dropPlan(probe)
    this.#dropIdle(probe)
    this.#probes.delete(cell.identity.id)
    this.#census.remove(probe.nat)
  }

  #servers(): readonly string[] {
    return this.#options.traversal?.stunServers() ?? []
  }

  #waitMs(probe: Probe, wait: Wait): number {
    const { clock, random, everyMs } = this.#options
    if (wait === 'report') return REPORT_MS
    if (wait === 'interval')
      return Math.min(everyMs, doubtMs(probe)) * (1 - JITTER + 2 * JITTER * random.float())
    const now = clock.now()
    return Math.max(this.#turns.take(remoteOf(probe.cell) ?? ''), probe.plannedMs + AGAIN_AFTER_MS - now)
  }

  #sendPlan(probe: Probe): void {
    const { clock, random, progress } = this.#options
    const planId = this.#nextPlan++ >>> 0
    const isKnown = probe.nat.mappingLifetimeS !== null && probe.remote === remoteOf(probe.cell)
    const lifetimeS = isKnown ? 0 : LIFETIME_S
    const plan = planProbe({ planId, servers: this.#servers(), lifetimeS, random })
    const { tests, silences } = sharedOut(plan.transactionIds.map(hex), lifetimeS)
    probe.planId = planId
    probe.plannedMs = clock.now()
    probe.seen = new Map()
    probe.ids = tests
    for (const id of tests) this.#byTransaction.set(id, probe)
    this.#dropIdle(probe)
    probe.idle = silences.map(({ id }) => id)
    for (const { id, silenceS } of silences) this.#idle.set(id, { silenceS, remind: null })
    probe.cell.line?.tell(plan)
    progress(probe.cell, 'begun')
  }

  #dropPlan(probe: Probe): void {
    for (const id of probe.ids) this.#byTransaction.delete(id)
    probe.ids = []
  }

  #dropIdle(probe: Probe): void {
    for (const id of probe.idle) {
      this.#idle.delete(id)
      this.#silences.clear(id)
    }
    probe.idle = []
  }

  #sighted({ transactionId, address, port }: Sighting, remind: () => void): void {
    const idle = this.#idle.get(transactionId)
    if (idle !== undefined) {
      idle.remind = remind
      this.#silences.set(transactionId, idle.silenceS * 1_000)
    }
    const seen = this.#byTransaction.get(transactionId)?.seen
    if (seen == null) return
    const sources = seen.get(transactionId) ?? new Set()
    if (sources.size < SOURCES_MAX) sources.add(endpointText({ address, port }))
    seen.set(transactionId, sources)
  }

  #classify(probe: Probe, { tests, local }: Report): void {
    for (const id of probe.idle) if (this.#idle.get(id)?.remind === null) this.#idle.delete(id)
    probe.remote = remoteOf(probe.cell)
    const nat = classify({ tests, local, seen: probe.seen ?? new Map() })
    probe.seen = null
    probe.agreed = isAlike(nat, probe.nat) ? probe.agreed + 1 : 0
    // How long a mapping lives takes minutes to find out; what was found behind the same address still holds.
    const same = nat.mapped4?.address === probe.nat.mapped4?.address
    this.#found(
      probe,
      same ? { ...nat, mappingLifetimeS: nat.mappingLifetimeS ?? probe.nat.mappingLifetimeS } : nat,
    )
    this.#suspect()
  }

  #found(probe: Probe, nat: Nat): void {
    const { progress, debug } = this.#options
    this.#census.remove(probe.nat)
    this.#census.add(nat)
    probe.nat = nat
    probe.cell.line?.tell(classified(probe.planId, nat))
    progress(probe.cell, 'classified')
    debug({ id: probe.cell.identity.id, nat }, 'a NAT was classified')
  }

  /** When UDP works for nobody, it is rather our port that is shut than all of their networks. */
  #suspect(): void {
    const blocked = this.#census.count('blocked')
    const isSuspicious = blocked >= SUSPICIOUS && this.#census.count('open') === 0
    if (isSuspicious && !this.#suspected)
      this.#options.warn(
        { agents: blocked, servers: this.#servers() },
        'no agent gets an answer from the STUN servers: is their UDP port open?',
      )
    this.#suspected = isSuspicious
  }
}

/** Returns how soon to look again at what was found, ms; never for its own sake when it is good, or is believed. */
function doubtMs({ nat, agreed }: Probe): number {
  if (nat.udp !== 'open') return AGAIN_MS.unanswered * 2 ** agreed
  const moves = nat.mapping === 'address_dependent' || nat.mapping === 'address_and_port_dependent'
  return moves && agreed < BELIEVED ? AGAIN_MS.different * 2 ** agreed : Number.POSITIVE_INFINITY
}

const isAlike = (one: Nat, other: Nat): boolean =>
  one.udp === other.udp && one.mapping === other.mapping && one.filtering === other.filtering

const hex = (id: Uint8Array): string => Buffer.from(id).toString('hex')
const remoteOf = (cell: Cell): string | null => cell.line?.socket.remote ?? null

function classified(planId: number, nat: Nat): WireOf<'nat.classified'> {
  const { udp, mapping, filtering, confirmed, hairpin, portPreservation, mappingLifetimeS } = nat
  return {
    type: 'nat.classified',
    planId,
    udp,
    mapping,
    filtering,
    confirmed,
    ...(nat.nat !== null && { nat: nat.nat }),
    ...(hairpin !== null && { hairpin }),
    ...(portPreservation !== null && { portPreservation }),
    ...(mappingLifetimeS !== null && { mappingLifetimeS }),
    ...(nat.mapped4 !== null && { mapped4: endpointText(nat.mapped4) }),
    ...(nat.mapped6 !== null && { mapped6: endpointText(nat.mapped6) }),
  }
}
