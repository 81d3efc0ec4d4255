/** `boson node`: this machine carries the traffic of clients. */
import { join } from 'node:path'
import { Command } from 'commander'
import { procGauges } from '../../agent/gauges/proc.js'
import { startForwarding } from '../../agent/exit/forwarding.js'
import { type DrainProgress, jobFile, MeshNode } from '../../agent/index.js'
import { run } from '../../agent/system/run.js'
import { prepare } from '../agent-ground.js'
import { gaugesOf, runAgent } from '../agent-life.js'
import { NODE_SETTINGS, readNodeSettings, type NodeSettings } from '../agent-settings.js'
import { asBytes, asMs, awayText, LiveLine, type Moment } from '../live-line.js'
import { type ChangedSettings, doJobs } from '../node-jobs.js'
import { report, reportOptions } from '../reporting.js'
import { addSettings, sourcesOf } from '../setting-options.js'

const EXAMPLES = `
Examples:
  $ sudo boson node --server https://mesh.example.org --credential KEY --country DE --bandwidth 1000
  $ sudo boson node --server https://mesh.example.org --exit
  $ sudo boson node --server https://mesh.example.org --interface wg0   # an interface that is there already

At Ctrl-C its clients move to other nodes, for at most --drain-within seconds; then it says goodbye and gives
everything back. A second Ctrl-C does not wait for the clients, a third one for nothing: the next start gives back.`

/** Returns the command. */
export function nodeCommand(): Command {
  return addSettings(new Command('node'), NODE_SETTINGS)
    .description('carry the traffic of clients on this machine')
    .option(
      '--credential <key>',
      'enrolment key, at first contact; better in the environment [BOSON_CREDENTIAL]',
    )
    .option('--json', 'print one JSON object per change')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Record<string, unknown>) => {
      await runNode(readNodeSettings(sourcesOf(NODE_SETTINGS, options)), options['json'] === true)
    })
}

async function runNode(settings: NodeSettings, json: boolean): Promise<void> {
  const line = new LiveLine({ json })
  const ground = await prepare('node', settings, line)
  const { iface, ledger, folder, logLevel } = ground
  const changed: ChangedSettings = {}
  let restart = () => {}
  const again = new Promise<void>(resolve => {
    restart = resolve
  })
  let stopReporting = () => {}
  await runAgent({
    ground,
    line,
    make: () => {
      const gauges = gaugesOf(ground.agent.url, () => node.status().rttMs)
      const reports = reportOptions(folder, settings)
      const node: MeshNode = new MeshNode({
        ...ground.agent,
        gauges,
        reports,
        profile: profileOf(settings),
        jobMemory: jobFile(join(folder, 'jobs.json')),
      })
      const isWatched = process.stdout.isTTY === true
      doJobs({ node, settings, changed, logLevel, line, isWatched, restart })
      if (reports !== undefined) stopReporting = report(node, folder, procGauges())
      return node
    },
    moment: node => momentOf(node, iface),
    giveUpAfterS: settings.giveUpAfter,
    watch: (node, show) => node.on('drain', show),
    farewell: node =>
      handOver(node, changed.drainWithin ?? settings.drainWithin, line).then(() => {
        stopReporting()
        return node.reports.flush()
      }),
    again,
    ...(settings.exit && { before: () => startForwarding({ iface, ledger, run }) }),
  })
}

/** Lets the clients of a node that is to end move to other nodes first, when there are any. */
export async function handOver(node: MeshNode, withinS: number, line: LiveLine): Promise<void> {
  if (withinS === 0 || node.status().links.length === 0) return
  const outcome = await node.drain({ withinMs: withinS * 1_000, reason: 'shutting down' })
  const { length } = node.status().links
  if (outcome === 'expired') line.note('time was up: no other node met what the last clients want')
  else if (outcome === 'unanswered' && length > 0)
    line.note(`the coordinator did not move ${clients(length)} to other nodes`)
}

function profileOf({ country, region, bandwidth, maxSessions, tags, cost, exit }: NodeSettings) {
  return {
    exit,
    ...(country !== null && { country }),
    ...(region !== null && { region }),
    ...(bandwidth !== null && { bandwidthMbps: bandwidth }),
    ...(maxSessions !== null && { maxSessions }),
    ...(tags.length > 0 && { tags: [...tags] }),
    ...(cost !== null && { costWeight: cost }),
  }
}

/** Returns what a node shows of itself. */
export function momentOf(node: MeshNode, iface: string): Moment {
  const status = node.status()
  const { state, reason, refusal, session, rttMs, links, drain } = status
  const open = links.filter(each => each.state !== 'opening')
  const figures = open.map(each => node.linkMetrics(each.link))
  const sum = (of: 'sentBytes' | 'receivedBytes') =>
    figures.reduce((total, each) => total + (each?.[of] ?? 0), 0)
  const [sentBytes, receivedBytes] = [sum('sentBytes'), sum('receivedBytes')]
  const address = session?.overlay4.split('/')[0] ?? null
  const direct = open.filter(each => each.state === 'direct').length
  const carried = `${clients(open.length)}${direct === 0 ? '' : `, ${direct} direct`}`
  const how = drain === null ? `online  ${address}  ${carried}` : drainText(drain)
  return {
    text: `${node.id}  ${state === 'online' ? how : awayText(status, node.url)}`,
    figures: state === 'online' ? `${asMs(rttMs)}  ↓ ${asBytes(receivedBytes)}  ↑ ${asBytes(sentBytes)}` : '',
    data: {
      state,
      reason,
      refused: refusal?.code ?? null,
      id: node.id,
      interface: iface,
      address,
      address6: session?.overlay6.split('/')[0] ?? null,
      clients: open.map(each => each.peerId),
      drain,
      paths: open.map(({ peerId, state: path, via, reason: why, rttMs: ms }) => ({
        client: peerId,
        path,
        via,
        why,
        rttMs: ms,
      })),
      rttMs,
      sentBytes,
      receivedBytes,
    },
  }
}

/** Returns what a node shows that is to go. */
function drainText({ state, by, left }: DrainProgress): string {
  if (state === 'draining') return `draining: ${clients(left)} left`
  return by === 'operator' ? 'drained by the operator' : 'drained'
}

const clients = (count: number): string => `${count} ${count === 1 ? 'client' : 'clients'}`
