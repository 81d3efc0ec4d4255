/** Probes the NAT in front of this machine from sockets of its own, and says what it makes of it. */
import { DirectSocket } from '../../agent/direct/direct-socket.js'
import { openDatagrams } from '../../agent/direct/open-datagrams.js'
import { systemResolve } from '../../agent/direct/servers.js'
import { heldClock } from '../../agent/held-clock.js'
import { probeNat } from '../../agent/nat/probe-nat.js'
import { findServers } from '../../agent/nat/find-servers.js'
import { systemRandom } from '../../kit/random.js'
import { classify } from '../../mesh/nat-classify.js'
import type { Nat } from '../../mesh/nat.js'
import { endpointText } from '../../protocol/address.js'

export interface FoundNat {
  /** Servers that were asked. */
  readonly servers: readonly string[]
  readonly nat: Nat
  /** Shortest round trip to a server, ms; null when none answered. */
  readonly rttMs: number | null
}

/** Resolves within a few seconds, whatever the network is like; rejects when no socket can be had. */
export async function checkNat(uris: readonly string[]): Promise<FoundNat> {
  const servers = await findServers(uris, systemResolve)
  const shared = new DirectSocket(openDatagrams())
  const fresh = new DirectSocket(openDatagrams())
  try {
    await Promise.all([shared.open(), fresh.open()])
    const tests = await probeNat({
      clock: heldClock,
      random: systemRandom,
      shared,
      fresh,
      servers,
      transactionIds: [],
      signal: new AbortController().signal,
    })
    // Hairpin and lifetime have no round trip.
    const rtts = tests.flatMap(([kind, , , ms]) => (kind.startsWith('mapping') && ms !== null ? [ms] : []))
    return {
      servers: servers.map(endpointText),
      nat: classify({ tests, local: shared.local().map(endpointText), seen: new Map() }),
      rttMs: rtts.length === 0 ? null : Math.min(...rtts),
    }
  } finally {
    shared.close()
    fresh.close()
  }
}
