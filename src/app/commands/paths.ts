/** `boson paths`: how every pair is connected, and why those that are not direct are not. */
import { Command, Option } from 'commander'
import type { PathView } from '../../actors/ports.js'
import { PATH_REASONS } from '../../mesh/path-reason.js'
import type { PathsPage } from '../api/paths.js'
import { asBytes, asDuration, asMs, asPercent, columns } from '../columns.js'
import { addOperatorOptions, Operator } from '../operator.js'
import { addWatchOptions, show, showOptions } from '../watching.js'

const EXAMPLES = `
Examples:
  $ boson paths
  $ boson paths --tier relayed --reason symmetric_both
  $ boson paths --node fra-1 --json | jq '.paths[].reason'`

/** What the coordinator filters by. */
const FILTERS = ['tier', 'reason', 'client', 'node', 'limit', 'after'] as const
const TIERS = ['opening', 'relayed', 'turned', 'direct', 'waiting']
/** Rows on a terminal when nobody says how many. */
const ROWS = 100

/** Returns the command. */
export const pathsCommand = (): Command =>
  addWatchOptions(pathFilters(addOperatorOptions(new Command('paths'))))
    .description('show how each client is connected to its node, and why not directly')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Record<string, unknown>) => {
      const shown = showOptions(options)
      const operator = new Operator(options)
      const query = new URLSearchParams()
      for (const name of FILTERS) {
        const value = options[name]
        if (typeof value === 'string') query.set(name, value)
      }
      await show(
        {
          look: () => operator.ask<PathsPage>('GET', `/api/v1/paths?${query.toString()}`),
          page: pathsPage,
        },
        shown,
      )
    })

const pathFilters = (command: Command): Command =>
  command
    .addOption(new Option('--tier <tier>', 'only paths on this tier').choices(TIERS))
    .addOption(
      new Option('--reason <code>', 'only paths that are not direct for this reason').choices([
        ...PATH_REASONS,
      ]),
    )
    .option('--client <id>', 'only paths of this client')
    .option('--node <id>', 'only paths to this node')
    .option('--limit <rows>', 'at most so many', String(ROWS))
    .option('--after <next>', 'go on after the page before, as it says')

/** Returns what a person sees. */
export function pathsPage({ nowMs, paths, total, next }: PathsPage): string {
  if (total === 0) return 'no paths'
  const parts = [
    columns(
      ['CLIENT', 'NODE', 'PATH', 'VIA', 'SINCE', 'WHY', 'TRIED', 'RTT', 'LOSS', '→ NODE', '→ CLIENT'],
      paths.map(path => rowOf(path, nowMs)),
    ),
  ]
  if (next !== null) parts.push(`… ${paths.length} of ${total}; the next ones: --after ${next}`)
  return parts.join('\n')
}

const rowOf = (path: PathView, nowMs: number) => [
  path.clientId,
  path.nodeId,
  path.tier,
  path.via,
  asDuration((nowMs - path.sinceMs) / 1000),
  path.reason,
  path.attempted === 0 ? null : `${path.attempted} ×`,
  asMs(path.rttMs),
  asPercent(path.lossPct),
  asBytes(sum(path.bytes.toNode)),
  asBytes(sum(path.bytes.toClient)),
]

const sum = ({ relayed, turned, direct }: PathView['bytes']['toNode']): number => relayed + turned + direct
