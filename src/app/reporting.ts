/** A node that reports: what it saw itself, and what scripts of its machine left in its inbox. */
import { join } from 'node:path'
import { heldClock } from '../agent/held-clock.js'
import { type Carrier, httpCarrier, type MeshNode, type MeshAgentOptions } from '../agent/index.js'
import { watchInbox } from '../agent/reports/inbox.js'
import { observe } from '../agent/reports/observer.js'
import type { Gauges } from '../agent/ports.js'
import { systemClock } from '../kit/clock.js'
import type { NodeSettings } from './agent-settings.js'

/** Where, below the state directory, the inbox is, and where reports wait. */
export const INBOX = join('reports', 'inbox')
const SPOOL = join('reports', 'spool')

type Settings = Pick<NodeSettings, 'id' | 'reports' | 'reportsToken'>

/** Returns how the agent reports, as options of a `MeshNode`. */
export function reportOptions(
  folder: string,
  { id, reports, reportsToken }: Settings,
): MeshAgentOptions['reports'] {
  if (reports === 'off') return undefined
  const { apiEndpoint, ...options } = reports ?? {}
  const carrier: Carrier | undefined =
    apiEndpoint === undefined
      ? undefined
      : httpCarrier({ apiEndpoint, token: () => reportsToken ?? '', agentId: id })
  return { ...options, path: join(folder, SPOOL), ...(carrier !== undefined && { carrier }) }
}

/** Lets the node report; returns what ends that. */
export function report(node: MeshNode, folder: string, gauges: Gauges): () => void {
  const stopObserving = observe({ node, gauges, clock: systemClock })
  const stopWatching = watchInbox({
    folder: join(folder, INBOX),
    clock: heldClock,
    take: (letter, name) => node.reports.take(letter, name),
    fault: (what, error) => node.reports.log({ level: 'warning', message: `${what}: ${String(error)}` }),
  })
  // Kept on disk, and told when the node runs again.
  const uncaught = (error: Error) =>
    node.reports.log({ level: 'error', message: 'uncaught exception', details: error.stack })
  process.prependListener('uncaughtException', uncaught)
  return () => {
    process.off('uncaughtException', uncaught)
    stopWatching()
    stopObserving()
  }
}
