/**
 * Answers the coordinator's `probe.plan` within a few seconds. A newer plan, a changed network and the end of the
 * agent give up what is under way.
 */
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { endpointText } from '../../protocol/address.js'
import type { WireOf } from '../../protocol/messages.js'
import type { OpenDatagrams, Prober } from '../ports.js'
import { probeNat, type ProbeTests } from './probe-nat.js'
import { openStunSocket, type StunSocket } from './stun-socket.js'
import { findServers, type Resolve } from './stun-uri.js'

export interface NatProberOptions {
  readonly clock: Clock
  readonly random: Random
  /** Resolves to the socket that packets of direct paths travel on; rejects when there is none. */
  readonly shared: () => Promise<StunSocket>
  /** Opens a socket on any free port. */
  readonly openDatagrams: OpenDatagrams
  readonly resolve: Resolve
}

/** The wire's bound. */
const LOCAL_MAX = 16

export class NatProber implements Prober {
  readonly #options: NatProberOptions
  #underWay = new AbortController()

  constructor(options: NatProberOptions) {
    this.#options = options
  }

  /** Never throws and never rejects: what cannot be tried is not reported. */
  probe(plan: WireOf<'probe.plan'>, say: (report: WireOf<'probe.report'>) => void): void {
    this.stop()
    const { signal } = this.#underWay
    const report = (tests: ProbeTests, socket: StunSocket) => {
      if (signal.aborted) return
      const local = socket.local().slice(0, LOCAL_MAX).map(endpointText)
      say({ type: 'probe.report', planId: plan.planId, tests, local })
    }
    // Without a socket nothing is reported, and what the coordinator does not know stays unknown.
    this.#run(plan, signal, report).catch(() => {})
  }

  stop(): void {
    this.#underWay.abort()
    this.#underWay = new AbortController()
  }

  async #run(
    { servers: uris, transactionIds }: WireOf<'probe.plan'>,
    signal: AbortSignal,
    report: (tests: ProbeTests, socket: StunSocket) => void,
  ): Promise<void> {
    const { clock, random, resolve, openDatagrams } = this.#options
    const [shared, fresh, servers] = await Promise.all([
      this.#options.shared(),
      openStunSocket(openDatagrams),
      findServers(uris, resolve),
    ])
    try {
      const tests = await probeNat({ clock, random, shared, fresh, servers, transactionIds, signal })
      report(tests, shared)
    } finally {
      fresh.close()
    }
  }
}
