/**
 * Answers the coordinator's `probe.plan`: within a few seconds, and on how long an idle mapping lives after minutes.
 * A newer plan, a changed network and the end of the agent give up what is under way.
 */
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { sharedOut } from '../../mesh/probe-plan.js'
import { endpointText } from '../../protocol/address.js'
import type { WireOf } from '../../protocol/messages.js'
import { DirectSocket } from '../direct/direct-socket.js'
import { type Resolve, systemResolve } from '../direct/servers.js'
import type { OpenDatagrams, Prober } from '../ports.js'
import { findServers } from './find-servers.js'
import { mappingLifetime } from './mapping-lifetime.js'
import { probeNat, type ProbeTests, type StunSocket } from './probe-nat.js'

export interface NatProberOptions {
  readonly clock: Clock
  readonly random: Random
  /** The socket that packets of direct paths travel on: its mapping is looked at while it is open. */
  readonly shared: StunSocket | null
  /** Opens a socket on any free port. */
  readonly openDatagrams: OpenDatagrams
  readonly resolve?: Resolve
}

/** The wire's bound. */
const LOCAL_MAX = 16

export class NatProber implements Prober {
  readonly #options: NatProberOptions
  #underWay = new AbortController()

  constructor(options: NatProberOptions) {
    this.#options = options
  }

  /** Never throws: without a socket nothing is reported, and what the coordinator does not know stays unknown. */
  probe(plan: WireOf<'probe.plan'>, say: (report: WireOf<'probe.report'>) => void): void {
    this.stop()
    const { signal } = this.#underWay
    const report = ({ tests, local }: Found) => {
      if (!signal.aborted) say({ type: 'probe.report', planId: plan.planId, tests, local })
    }
    const inTime = this.#run(plan, signal).then(report)
    const late = this.#idle(plan, signal).then(tests => {
      if (tests.length > 0) return inTime.then(() => report({ tests, local: [] }))
    })
    for (const each of [inTime, late]) each.catch(() => {})
  }

  stop(): void {
    this.#underWay.abort()
    this.#underWay = new AbortController()
  }

  async #run(plan: WireOf<'probe.plan'>, signal: AbortSignal): Promise<Found> {
    const { shared } = this.#options
    if (shared !== null && isOpen(shared)) {
      const found = await this.#look(shared, plan, signal)
      // Closed meanwhile: its silence says nothing about the network.
      if (isOpen(shared)) return found
    }
    const own = await this.#open()
    try {
      return await this.#look(own, plan, signal)
    } finally {
      own.close()
    }
  }

  async #look(
    socket: StunSocket,
    { servers: uris, transactionIds: ids, lifetimeS }: WireOf<'probe.plan'>,
    signal: AbortSignal,
  ): Promise<Found> {
    const { clock, random, resolve = systemResolve } = this.#options
    const servers = await findServers(uris, resolve)
    const { tests: transactionIds } = sharedOut(ids, lifetimeS)
    const fresh = await this.#open()
    try {
      const tests = await probeNat({ clock, random, shared: socket, fresh, servers, transactionIds, signal })
      return { tests, local: socket.local().slice(0, LOCAL_MAX).map(endpointText) }
    } finally {
      fresh.close()
    }
  }

  /** Beside the rest, from the start: its sockets have nothing in common with the others. */
  async #idle(plan: WireOf<'probe.plan'>, signal: AbortSignal): Promise<ProbeTests> {
    const { clock, openDatagrams, resolve = systemResolve } = this.#options
    const { silences } = sharedOut(plan.transactionIds, plan.lifetimeS)
    const [server] = await findServers(plan.servers, resolve)
    if (server === undefined || silences.length === 0) return []
    return mappingLifetime({ clock, openDatagrams, server, silences, signal })
  }

  async #open(): Promise<DirectSocket> {
    const socket = new DirectSocket(this.#options.openDatagrams)
    await socket.open()
    return socket
  }
}

interface Found {
  readonly tests: ProbeTests
  readonly local: readonly string[]
}

const isOpen = (socket: StunSocket): boolean => socket.local().length > 0
