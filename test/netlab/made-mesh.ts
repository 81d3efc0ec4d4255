/** A lab whose coordinator runs, and what tests ask of the agents that they start in it. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { shortFolder } from '../support/short-folder.js'
import { type Agent, Coordinator, startAgent } from './processes.js'
import { makeLab, type Lab } from './star.js'

export interface Mesh {
  readonly lab: Lab
  readonly root: string
  readonly coordinator: Coordinator
  /** Starts the node `fra-1`. */
  startNode(...options: readonly string[]): Agent
  /** Starts the node `fra-2`, on the coordinator's own machine. */
  startOtherNode(...options: readonly string[]): Agent
  startClient(...options: readonly string[]): Agent
}

/** Makes a lab whose coordinator runs, and agents that keep their state and interface from start to start. */
export async function makeMesh(t: Test, env: NodeJS.ProcessEnv = {}): Promise<Mesh> {
  const root = shortFolder()
  t.teardown(() => rmSync(root, { recursive: true }))
  const lab = await makeLab(t)
  const coordinator = new Coordinator(lab.coordinator, join(root, 'server'), env)
  await coordinator.start()
  const credential = await coordinator.enrol()
  const [nodeIface, otherIface, clientIface] = [lab.iface(), lab.iface(), lab.iface()]
  const options = (id: string, iface: string) =>
    ['--id', id, '--interface', iface, '--state-dir', join(root, id), '--credential', credential] as const
  return {
    lab,
    root,
    coordinator,
    startNode: (...more) => startAgent(lab.node, 'node', ...options('fra-1', nodeIface), ...more),
    startOtherNode: (...more) =>
      startAgent(lab.coordinator, 'node', ...options('fra-2', otherIface), ...more),
    startClient: (...more) => startAgent(lab.client, 'client', ...options('alice', clientIface), ...more),
  }
}

export async function online(agent: Agent): Promise<void> {
  await agent.says('the agent is online', line => line.state === 'online' && line.address !== null)
}

const CARRIES = new Set(['relayed', 'turned', 'direct'])

/** Waits until the client's route carries, to `node` if one is given; returns where its node is. */
export async function connected(
  client: Agent,
  node?: string,
): Promise<{ nodeAddress: string; nodeAddress6: string }> {
  const line = await client.says(
    `the route to ${node ?? 'a node'} carries`,
    line => CARRIES.has(line.path ?? '') && (node === undefined || line.node === node),
  )
  return { nodeAddress: line.nodeAddress ?? '', nodeAddress6: line.nodeAddress6 ?? '' }
}

export async function states({ node, client }: Lab): Promise<{ node: string; client: string }> {
  return { node: await node.state(), client: await client.state() }
}
