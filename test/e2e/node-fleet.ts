/** Nodes that send back what comes, many in one process. */
import { MeshNode } from '../../src/agent/index.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { answering, groundOf } from './fleet.js'

export interface NodeSpec {
  readonly id: string
  readonly country: string
}

/** Places of a node: two have room for all clients of their country. */
const PLACES = 30
const BANDWIDTH_MBPS = 1_000

const ground = groundOf()
const nodes = new Map<string, MeshNode>()
const overloaded = new Set<string>()

const nodeCalls = {
  /** Resolves when all of them are online. */
  start: (specs: readonly NodeSpec[]) => Promise.all(specs.map(start)).then(() => null),
  /** Their sockets are gone, without a word. */
  kill: (ids: readonly string[]) =>
    Promise.all(ids.flatMap(id => nodes.get(id) ?? []).map(node => node.stop({ leave: false }))).then(
      () => null,
    ),
  /** From now on they say that their uplink is full. */
  overload: (ids: readonly string[]) => {
    for (const id of ids) overloaded.add(id)
    return null
  },
}
export type NodeCalls = typeof nodeCalls
answering(nodeCalls)

async function start({ id, country }: NodeSpec): Promise<void> {
  const { privateKey } = newKeyPair()
  const profile = { country, maxSessions: PLACES, bandwidthMbps: BANDWIDTH_MBPS }
  const gauges = () => ({ bwTotalMbps: overloaded.has(id) ? BANDWIDTH_MBPS : 1 })
  const node = new MeshNode({ ...ground, id, privateKey, profile, gauges })
  node.on('packet', ({ link, packet }) => node.send(link, packet))
  nodes.set(id, node)
  await node.start()
}
