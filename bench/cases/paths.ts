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
import { Program, SERVER_URL } from '../../test/netlab/processes.js'
import { type Outcome, tryPair } from '../../test/netlab/trial.js'
import { until } from '../../test/support/until.js'

/** How long TCP runs, s. */
const SECONDS = { full: 6, quick: 2 }
const DATAGRAMS = new URL('../load/datagrams.js', import.meta.url).pathname
/** More than a data channel carries here. */
const OFFERED_MBPS = 400
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
  /** CPU of all programs on the way, iperf3 among them, ms for each megabyte. */
  readonly cpuMsPerMB: number
  readonly msToFirst: number
  readonly msToTier: number
}

const WAYS = {
  relay: { line: OPEN, options: ['--policy', 'relay-only'], wanted: { tier: 'relay', via: 'websocket' } },
  turn: { line: 'node=sym client=sym', options: [], wanted: { tier: 'turn', via: 'udp' } },
  udp: { line: OPEN, options: ['--ways', 'udp'], wanted: { tier: 'direct', via: 'udp' } },
  wireguard: { line: OPEN, options: [], wanted: { tier: 'direct', via: 'wireguard' } },
} as const satisfies Record<string, Taken>

/** A figure of one way beside the same of plain WireGuard. */
function compared(
  name: string,
  about: string,
  way: (seconds: number) => Promise<Run>,
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
      const sides = { ours: () => way(seconds), limit: () => byHand(seconds) }
      const runs = await interleave(rounds, sides, say)
      const middle = (side: readonly Run[], of: (run: Run) => number) => median(side.map(of))
      const [value, limit] = [middle(runs.ours, of), middle(runs.limit, of)]
      const [cpu, limitCpu] = [middle(runs.ours, cpuOf), middle(runs.limit, cpuOf)]
      return {
        value,
        unit,
        limit: { name: PLAIN, value: limit },
        // All cores are busy while TCP runs: what a byte costs depends little on who else uses the machine.
        ratio: unit === 'ms' ? limit / value : limitCpu / cpu,
        saturated: 'client',
        rounds,
        detail: {
          cpuMsPerMB: cpu,
          limitCpuMsPerMB: limitCpu,
          retransmits: middle(runs.ours, each => each.retransmits),
        },
      }
    },
  }
}

/** Datagrams of a program by ICE: sent faster than they can go, counted where they come. */
async function overIce(seconds: number): Promise<Run> {
  const mesh = await NatMesh.make(OPEN, { env: { BOSON_RELAY_PAYLOAD: 'any' } })
  try {
    const start = (host: string, ...args: readonly string[]) =>
      new Program(
        `datagrams of the ${host}`,
        mesh.lab
          .host(host)
          .space.spawn(process.execPath, [DATAGRAMS, host, SERVER_URL, mesh.credential, ...args]),
      )
    const node = start('node')
    await node.prints('online')
    const began = performance.now()
    const client = start('client', String(seconds), String(OFFERED_MBPS))
    const { msToDirect } = await client.prints<{ msToDirect: number }>('msToDirect')
    const before = await mesh.lab.cpuMs()
    client.process.stdin?.write('go\n')
    await client.prints('bytes')
    const cpuMs = (await mesh.lab.cpuMs()) - before
    node.process.stdin?.write('count\n')
    const { bytes } = await node.prints<{ bytes: number }>('bytes')
    const msToFirst = performance.now() - began
    return {
      mbps: (bytes * 8) / 1e6 / seconds,
      retransmits: 0,
      cpuMsPerMB: cpuMs / (bytes / 1e6),
      msToFirst,
      msToTier: msToDirect,
    }
  } finally {
    await mesh.remove()
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
): Promise<Pick<Run, 'mbps' | 'retransmits' | 'cpuMsPerMB'>> {
  const [node, client] = [lab.host('node').space, lab.host('client').space]
  node.spawn('iperf3', ['-s'], { stdio: 'ignore' }) // stays, so that its CPU time can be read
  await until('iperf3 listens', async () => (await node.run('ss', '-Hltn', 'sport = :5201')) !== '')
  const before = await lab.cpuMs()
  const report = await client.run('iperf3', '-c', address, '-t', String(seconds), '-J')
  const { sum_received, sum_sent, cpu_utilization_percent } = (JSON.parse(report) as Iperf).end
  // The sender has ended, and says itself what it used.
  const cpuMs = (await lab.cpuMs()) - before + cpu_utilization_percent.host_total * 10 * seconds
  return {
    mbps: sum_received.bits_per_second / 1e6,
    retransmits: sum_sent.retransmits,
    cpuMsPerMB: cpuMs / (sum_received.bytes / 1e6),
  }
}

/** What of iperf3's report is read. */
interface Iperf {
  readonly end: {
    readonly sum_received: { readonly bytes: number; readonly bits_per_second: number }
    readonly sum_sent: { readonly retransmits: number }
    readonly cpu_utilization_percent: { readonly host_total: number }
  }
}

const mbpsOf = ({ mbps }: Run) => mbps
const cpuOf = ({ cpuMsPerMB }: Run) => cpuMsPerMB

const by = (way: Taken) => (seconds: number) => overMesh(way, seconds)

export const paths: Bench = {
  name: 'paths',
  about: 'each way between two agents behind NATs, beside WireGuard set up by hand in the same lab',
  cases: [
    compared(
      'first-packet',
      'from the start of the program until a ping is back',
      by(WAYS.relay),
      'ms',
      run => run.msToFirst,
    ),
    compared(
      'direct',
      'from the start of the program until the path is direct',
      by(WAYS.wireguard),
      'ms',
      run => run.msToTier,
    ),
    compared('relay', 'TCP through the relay', by(WAYS.relay), 'Mbit/s', mbpsOf),
    compared('turn', 'TCP through TURN', by(WAYS.turn), 'Mbit/s', mbpsOf),
    compared('ice', 'a program’s datagrams by ICE', overIce, 'Mbit/s', mbpsOf),
    compared('udp', 'TCP over the agents’ own UDP sockets', by(WAYS.udp), 'Mbit/s', mbpsOf),
    compared('wireguard', 'TCP over WireGuard’s own sockets', by(WAYS.wireguard), 'Mbit/s', mbpsOf),
  ],
}
