/** One agent and its scripted coordinator on a simulated clock. */
import type { Test } from 'tap'
import { MeshClient, type MeshClientEvents } from '../../../src/agent/mesh-client.js'
import type { MeshAgentEvents, MeshAgentOptions } from '../../../src/agent/mesh-agent.js'
import { MeshNode } from '../../../src/agent/mesh-node.js'
import { seededRandom } from '../../../src/kit/random.js'
import type { WireOf } from '../../../src/protocol/messages.js'
import { newKeyPair } from '../../../src/protocol/proof.js'
import { SimulatedClock } from '../../support/simulated-clock.js'
import { ScriptedCoordinator } from './scripted-coordinator.js'

type EventName = keyof MeshClientEvents
/** `[type, event]`, in the order a program heard them. */
export type Heard = readonly [EventName, unknown]

const NAMES: readonly EventName[] = [
  'online',
  'offline',
  'refused',
  'link',
  'path',
  'linkClosed',
  'fault',
  'route',
  'switched',
  'lost',
]

export function nodeRig(t: Test, options: Partial<MeshAgentOptions> = {}) {
  const { clock, coordinator, given } = parts(options)
  const node = new MeshNode(given)
  const heard: Heard[] = []
  for (const name of NAMES) node.on(name as keyof MeshAgentEvents, event => heard.push([name, event]))
  t.teardown(() => node.stop())
  return { clock, coordinator, node, heard }
}

export function clientRig(t: Test, options: Partial<MeshAgentOptions> = {}) {
  const { clock, coordinator, given } = parts(options)
  const client = new MeshClient(given)
  const heard: Heard[] = []
  for (const name of NAMES) client.on(name, event => heard.push([name, event]))
  t.teardown(() => client.stop())
  return { clock, coordinator, client, heard }
}

/** Returns a `path.open` for this link. */
export const pathOpen = (link: number, peerId = 'peer-1'): WireOf<'path.open'> => ({
  type: 'path.open',
  link,
  routeId: `route-${link}`,
  peerId,
  peerKey: new Uint8Array(32).fill(9),
  peerOverlay4: '10.77.0.9/32',
  peerOverlay6: 'fd77::9/128',
  allowedIps: ['10.77.0.9/32', 'fd77::9/128'],
  keepaliveS: 25,
})

function parts(options: Partial<MeshAgentOptions>) {
  const clock = new SimulatedClock()
  const coordinator = new ScriptedCoordinator(clock)
  const given: MeshAgentOptions = {
    url: 'wss://mesh.example',
    id: 'agent-1',
    privateKey: newKeyPair().privateKey,
    clock,
    random: seededRandom(1),
    dial: coordinator.dial,
    ...options,
  }
  return { clock, coordinator, given }
}
