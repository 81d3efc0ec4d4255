/**
 * What each way between two agents behind NATs costs, in namespaces on this machine: how soon the first packet comes
 * back, how soon the path is direct, and what TCP gets through it, beside WireGuard set up by hand in the same lab.
 * Routers, coordinator, agents and iperf3 share the cores, so that the figures say what a packet costs on the whole
 * way, not what a line carries.
 */
import { type Bench, type Case, UnableError } from '../bench.js'
import { interleave, median } from '../rounds.js'
import { online } from '../../test/netlab/made-mesh.js'
import { cannotRun } from '../../test/netlab/namespaces.js'
import { NatLab } from '../../test/netlab/nat-lab.js'
import { NatMesh } from '../../test/netlab/nat-mesh.js'
import { plainWireGuard } from '../../test/netlab/plain-wireguard.js'
import { type Outcome, tryPair } from '../../test/netlab/trial.js'
import { until } from '../../test/support/until.js'

/** How long TCP runs, s. */
const SECONDS = { full: 6, quick: 2 }
const PLAIN = 'WireGuard set up by hand'
/** Both ends can be met where they are, and both are behind a router. */
const OPEN = 'node=port client=port'

/** A way between two agents: the lab in which it is taken, and what the client is told. */
interface Taken {
  readonly line: string
  readonly options: readonly string[]
  readonly wanted: Pick<Outcome, 'tier' | 'via'>
}

interface Run {
  readonly mbps: number
  readonly retransmits: number
  readonly msToFirst: number
  readonly msToTier: number
}

const WAYS = {
  relay: { line: OPEN, options: ['--policy', 'relay-only'], wanted: { tier: 'relay', via: 'websocket' } },
  turn: { line: 'node=sym client=sym', options: [], wanted: { tier: 'turn', via: 'udp' } },
  udp: { line: OPEN, options: [], wanted: { tier: 'direct', via: 'udp' } },
  wireguard: { line: OPEN, options: [], wanted: { tier: 'direct', via: 'wireguard' } },
} as const satisfies Record<string, Taken>

/** A figure of one way beside the same of plain WireGuard. */
function compared(
  name: string,
  about: string,
  way: Taken,
  unit: 'Mbit/s' | 'ms',
  of: (run: Run) => number,
): Case {
  return {
    name,
    about,
    async measure({ rounds, quick, say }) {
      const unable = cannotRun()
      if (unable !== false) throw new UnableError(unable)
      const seconds = quick ? SECONDS.quick : SECONDS.full
      const sides = { ours: () => overMesh(way, seconds), limit: () => byHand(seconds) }
      const runs = await interleave(rounds, sides, say)
      const [value, limit] = [median(runs.ours.map(of)), median(runs.limit.map(of))]
      return {
        value,
        unit,
        limit: { name: PLAIN, value: limit },
        ratio: unit === 'ms' ? limit / value : value / limit,
        saturated: 'client',
        rounds,
        detail: {
          retransmits: median(runs.ours.map(each => each.retransmits)),
          limitRetransmits: median(runs.limit.map(each => each.retransmits)),
        },
      }
    },
  }
}

async function overMesh({ line, options, wanted }: Taken, seconds: number): Promise<Run> {
  const mesh = await NatMesh.make(line)
  try {
    await online(mesh.startNode('node'))
    const { outcome, nodeAddress, ping } = await tryPair(mesh, 'node', 'client', ...options)
    await ping.end()
    const { tier, via, reason } = outcome
    if (tier !== wanted.tier || via !== wanted.via)
      throw new UnableError(`the path settled as ${tier} by ${via}${reason === null ? '' : `, ${reason}`}`)
    return { ...outcome, ...(await carriedBy(mesh.lab, nodeAddress, seconds)) }
  } finally {
    await mesh.remove()
  }
}

async function byHand(seconds: number): Promise<Run> {
  const lab = await NatLab.make(OPEN)
  try {
    const began = performance.now()
    const { address } = await plainWireGuard(lab, ['client', 'node'])
    await until('a ping comes back', () => lab.host('client').space.reaches(address))
    const msToFirst = performance.now() - began
    return { msToFirst, msToTier: msToFirst, ...(await carriedBy(lab, address, seconds)) }
  } finally {
    await lab.remove()
  }
}

/** What one TCP connection from client to node carries. */
async function carriedBy(
  lab: NatLab,
  address: string,
  seconds: number,
): Promise<Pick<Run, 'mbps' | 'retransmits'>> {
  const [node, client] = [lab.host('node').space, lab.host('client').space]
  node.spawn('iperf3', ['-s', '-1'], { stdio: 'ignore' })
  await until('iperf3 listens', async () => (await node.run('ss', '-Hltn', 'sport = :5201')) !== '')
  const report = await client.run('iperf3', '-c', address, '-t', String(seconds), '-J')
  const { sum_received, sum_sent } = (JSON.parse(report) as Iperf).end
  return { mbps: sum_received.bits_per_second / 1e6, retransmits: sum_sent.retransmits }
}

/** What of iperf3's report is read. */
interface Iperf {
  readonly end: {
    readonly sum_received: { readonly bits_per_second: number }
    readonly sum_sent: { readonly retransmits: number }
  }
}

const mbps = ({ mbps }: Run) => mbps

export const paths: Bench = {
  name: 'paths',
  about: 'each way between two agents behind NATs, beside WireGuard set up by hand in the same lab',
  cases: [
    compared(
      'first-packet',
      'from the start of the program until a ping is back',
      WAYS.relay,
      'ms',
      run => run.msToFirst,
    ),
    compared(
      'direct',
      'from the start of the program until the path is direct',
      WAYS.wireguard,
      'ms',
      run => run.msToTier,
    ),
    compared('relay', 'TCP through the relay', WAYS.relay, 'Mbit/s', mbps),
    compared('turn', 'TCP through TURN', WAYS.turn, 'Mbit/s', mbps),
    compared('udp', 'TCP over the agents’ own UDP sockets', WAYS.udp, 'Mbit/s', mbps),
    compared('wireguard', 'TCP over WireGuard’s own sockets', WAYS.wireguard, 'Mbit/s', mbps),
  ],
}
