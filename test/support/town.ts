/** A node and a client that mind their own business, for stories about those who do not. */
import type { Test } from 'tap'
import type { WireOf } from '../../src/protocol/messages.js'
import { numbered } from '../lab/hosts.js'
import { Lab, type LabOptions } from '../lab/lab.js'
import { RawAgent } from './raw-agent.js'

export interface Town {
  readonly lab: Lab
  readonly node: RawAgent
  readonly client: RawAgent
  /** The link between them. */
  readonly link: number
  /** Holds that nobody has disturbed them: sessions, route and link are what they were, and packets flow. */
  readonly peace: (alice?: RawAgent) => Promise<void>
}

export async function town(t: Test, options: LabOptions = {}): Promise<Town> {
  const lab = await Lab.start(options)
  const node = await lab.enrolled('node', 'fra-1')
  const client = await lab.enrolled('client', 'alice')
  const { link } = await routed(lab, client, [node])
  const arrived = () => node.heard.filter(it => it.type === 'relay.data' && it.link === link).length
  return {
    lab,
    node,
    client,
    link,
    async peace(alice = client) {
      for (const agent of [node, alice]) agent.say(agent.beat())
      await lab.clock.run(100)
      const views = [...lab.mesh.nodes(), ...lab.mesh.clients()].filter(
        ({ id }) => id === 'fra-1' || id === 'alice',
      )
      t.match(
        views,
        [{ state: 'online' }, { state: 'online', nodeId: 'fra-1', link }],
        'nobody was disturbed',
      )
      const before = arrived()
      alice.say({ type: 'relay.data', link, payload: numbered(7) })
      await lab.clock.run(100)
      t.equal(arrived(), before + 1, 'and packets flow')
      t.equal(lab.mesh.stats().faults, 0)
      t.same(
        lab.complaints.filter(({ message }) => !message.includes('the relay drops packets')),
        [],
      )
    },
  }
}

/** Lets `client` ask, and both ends get ready. */
export async function routed(
  lab: Lab,
  client: RawAgent,
  nodes: readonly RawAgent[],
  wish: Partial<WireOf<'route.request'>> = {},
): Promise<WireOf<'route.assigned'>> {
  client.say({ type: 'route.request', requestId: 7, ...wish })
  await lab.clock.run(100)
  const assigned = client.last('route.assigned')
  const node = nodes.find(agent => agent.hello().id === assigned.nodeId)
  for (const end of [client, node]) end?.say({ type: 'path.ready', link: assigned.link })
  await lab.clock.run(100)
  return assigned
}

/** Returns an agent that dials from a host which is not called like it. */
export function dialling(lab: Lab, host: string, id: string, keys?: RawAgent['keys']): RawAgent {
  const dial = lab.internet.dialFrom(host)
  return new RawAgent({ dial, role: 'client', id, ...(keys !== undefined && { keys }) }).connect()
}
