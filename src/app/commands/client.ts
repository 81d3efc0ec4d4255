/** `boson client`: this machine reaches a node, and through it the internet when asked to. */
import { Command } from 'commander'
import { MeshClient } from '../../agent/index.js'
import { prepare } from '../agent-ground.js'
import { gaugesOf, runAgent } from '../agent-life.js'
import { CLIENT_SETTINGS, readClientSettings, type ClientSettings } from '../agent-settings.js'
import { asBytes, asMs, awayText, LiveLine, type Moment, pathText } from '../live-line.js'
import { addSettings, sourcesOf } from '../setting-options.js'
import { wishOf } from '../wish.js'

const EXAMPLES = `
Examples:
  $ sudo boson client --server https://mesh.example.org --credential KEY --country DE
  $ sudo boson client --server https://mesh.example.org --all --dns 9.9.9.9   # everything through an exit node
  $ sudo boson client --server https://mesh.example.org --node fra-1 --json

Ctrl-C says goodbye and gives everything back; a second Ctrl-C ends at once, and the next start gives it back.`

/** Returns the command. */
export function clientCommand(): Command {
  return addSettings(new Command('client'), CLIENT_SETTINGS)
    .description('reach a node of the mesh from this machine')
    .option(
      '--credential <key>',
      'enrolment key, at first contact; better in the environment [BOSON_CREDENTIAL]',
    )
    .option('--json', 'print one JSON object per change')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Record<string, unknown>) => {
      await runClient(readClientSettings(sourcesOf(CLIENT_SETTINGS, options)), options['json'] === true)
    })
}

async function runClient(settings: ClientSettings, json: boolean): Promise<void> {
  const line = new LiveLine({ json })
  const ground = await prepare('client', settings, line)
  await runAgent({
    ground,
    line,
    make: () => {
      const gauges = gaugesOf(ground.agent.url, () => client.status().rttMs)
      const client: MeshClient = new MeshClient({ ...ground.agent, gauges })
      client.on('route', () => line.show(momentOf(client, ground.iface)))
      client.on('lost', ({ reason }) => line.note(`no node now: ${reason}`))
      client.on('switched', ({ from, to, cause }) =>
        line.note(`moved ${from === null ? '' : `from ${from.nodeId} `}to ${to.nodeId}: ${cause}`),
      )
      return client
    },
    moment: client => momentOf(client, ground.iface),
    giveUpAfterS: settings.giveUpAfter,
    begin: client =>
      client.route({ ...wishOf(settings), ...(settings.all && { exit: true }) }, { patient: settings.wait }),
  })
}

function momentOf(client: MeshClient, iface: string): Moment {
  const status = client.status()
  const { state, reason, refusal, session, rttMs, links } = status
  const route = client.current
  const link = links.find(each => each.link === route?.link) ?? null
  const path = link?.state ?? null
  const metrics = route === null ? null : client.linkMetrics(route.link)
  const { sentBytes = 0, receivedBytes = 0 } = metrics ?? {}
  // Until WireGuard's handshake has told the round trip to the node, the coordinator's is shown.
  const shownRttMs = metrics?.rttMs ?? rttMs
  const node = route === null ? null : [route.nodeId, route.country, route.region].filter(Boolean).join(' ')
  const where = node === null ? client.id : `${node}  ${pathText(link)}`
  const away = state === 'online' ? null : awayText(status, client.url)
  return {
    text: [where, away ?? (node === null ? 'asking for a node' : '')].filter(Boolean).join('  '),
    figures:
      route === null ? '' : `${asMs(shownRttMs)}  ↓ ${asBytes(receivedBytes)}  ↑ ${asBytes(sentBytes)}`,
    data: {
      state,
      reason,
      refused: refusal?.code ?? null,
      id: client.id,
      interface: iface,
      address: session?.overlay4.split('/')[0] ?? null,
      address6: session?.overlay6.split('/')[0] ?? null,
      node: route?.nodeId ?? null,
      nodeAddress: route?.nodeOverlay4.split('/')[0] ?? null,
      nodeAddress6: route?.nodeOverlay6.split('/')[0] ?? null,
      country: route?.country ?? null,
      region: route?.region ?? null,
      path,
      via: link?.via ?? null,
      why: link?.reason ?? null,
      rttMs: shownRttMs,
      sentBytes,
      receivedBytes,
    },
  }
}
