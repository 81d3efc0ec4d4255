/** `boson why`: why two are connected as they are, in words that a person can act on. */
import { Command } from 'commander'
import type { PathAttempt, PathStory, PathTrial, WhyView } from '../../actors/ports.js'
import { natInWords } from '../../mesh/nat-words.js'
import { endpointText } from '../../protocol/address.js'
import { asBytes, asDuration, asMs, asPercent, columns } from '../columns.js'
import { addOperatorOptions, Operator } from '../operator.js'
import { addWatchOptions, show, showOptions } from '../watching.js'

const EXAMPLES = `
Examples:
  $ boson why alice fra-1
  $ boson why fra-1 alice --watch
  $ boson why fra-1 alice --json | jq .words`

/** Ended paths that are told in one line each. */
const ENDED_MAX = 5

/** Returns the command. */
export const whyCommand = (): Command =>
  addWatchOptions(addOperatorOptions(new Command('why')))
    .description('say how a client and a node are connected, and why not better')
    .argument('<a>', 'id of one of the two')
    .argument('<b>', 'id of the other')
    .addHelpText('after', EXAMPLES)
    .action(async (a: string, b: string, options: Record<string, unknown>) => {
      const query = new URLSearchParams({ a, b })
      const shown = showOptions(options)
      const operator = new Operator(options)
      await show(
        { look: () => operator.ask<WhyView>('GET', `/api/v1/why?${query.toString()}`), page: whyPage },
        shown,
      )
    })

/** Returns what a person sees: the answer, the newest path in full, the ones before it in a line each. */
export function whyPage({ words, paths: [newest, ...before], complete, nowMs }: WhyView): string {
  const parts = [words]
  if (newest !== undefined) parts.push(...storyParts(newest, nowMs))
  const ended = before.slice(0, ENDED_MAX).map(path => endedLine(path, nowMs))
  if (ended.length > 0) parts.push(['Before that:', ...ended].join('\n'))
  if (before.length > ENDED_MAX) parts.push(`… and ${before.length - ENDED_MAX} more: --json has them`)
  if (!complete) parts.push('The database is away: only what is in memory was looked at.')
  return parts.join('\n\n')
}

function storyParts(path: PathStory, nowMs: number): string[] {
  return [
    headOf(path, nowMs),
    endsOf(path, nowMs),
    carriedOf(path),
    attemptsOf(path, nowMs),
    historyOf(path),
  ].filter(part => part !== '')
}

function headOf(path: PathStory, nowMs: number): string {
  const ago = (ms: number) => asDuration((nowMs - ms) / 1000)
  const facts = [
    `${path.clientId} → ${path.nodeId}`,
    path.tier,
    ...(path.via === null ? [] : [`via ${path.via}`]),
    `since ${ago(path.sinceMs)}`,
    ...(path.reason === null ? [] : [`reason ${path.reason}`]),
    `policy ${path.policy}`,
    `RTT ${asMs(path.rttMs) ?? '-'}`,
    `loss ${asPercent(path.lossPct) ?? '-'}`,
  ]
  return facts.join('   ')
}

function endsOf({ ends }: PathStory, nowMs: number): string {
  const both = [ends.client, ends.node]
  const table = columns(
    ['END', 'STATE', 'NAT', 'SEEN AT', 'RTT', 'LOSS', 'REPORTED'],
    both.map(({ id, state, nat, rttMs, lossPct, reportedAtMs }) => [
      id,
      state ?? 'no session',
      natInWords(nat),
      [nat.mapped4, nat.mapped6].flatMap(at => (at === null ? [] : [endpointText(at)])).join(' ') || null,
      asMs(rttMs),
      asPercent(lossPct),
      reportedAtMs === null ? null : `${asDuration((nowMs - reportedAtMs) / 1000)} ago`,
    ]),
  )
  const candidates = both.flatMap(({ id, candidates }) =>
    candidates.length === 0 ? [] : [`${id} can be reached at: ${candidates.join(', ')}`],
  )
  return [table, ...candidates].join('\n')
}

function carriedOf({ bytes: { toNode, toClient } }: PathStory): string {
  const tiers = (['relayed', 'turned', 'direct'] as const).filter(tier => toNode[tier] + toClient[tier] > 0)
  if (tiers.length === 0) return ''
  return columns(
    ['CARRIED', '→ NODE', '→ CLIENT'],
    tiers.map(tier => [tier, asBytes(toNode[tier]), asBytes(toClient[tier])]),
  )
}

function attemptsOf({ attempts, ends }: PathStory, nowMs: number): string {
  if (attempts.length === 0) return ''
  const newestFirst = attempts.toReversed()
  const table = columns(
    ['ATTEMPT', 'VIA', 'WHEN', 'END', 'OUTCOME', 'CAUSE', 'PAIR', 'RTT'],
    newestFirst.flatMap(attempt =>
      (['client', 'node'] as const).map(end => [
        ...whenOf(attempt, nowMs),
        ends[end].id,
        ...trialCells(attempt[end]),
      ]),
    ),
  )
  return [table, ...triedOf(newestFirst, ends)].join('\n')
}

const whenOf = ({ attempt, via, atMs }: PathAttempt, nowMs: number) => [
  attempt,
  via,
  `${asDuration((nowMs - atMs) / 1000)} ago`,
]

function trialCells(trial: PathTrial | null) {
  if (trial === null) return ['said nothing', null, null, null]
  const { outcome, lost, cause, local, remote, rttMs } = trial
  const pair = local === null && remote === null ? null : `${local ?? '?'} → ${remote ?? '?'}`
  return [lost === null ? outcome : `${outcome}, lost`, lost === null ? cause : lost.cause, pair, asMs(rttMs)]
}

/** The pairs of the newest attempt that tells them. */
function triedOf(newestFirst: PathStory['attempts'], ends: PathStory['ends']): string[] {
  const telling = newestFirst.find(({ client, node }) =>
    [client, node].some(trial => (trial?.tried.length ?? 0) > 0),
  )
  if (telling === undefined) return []
  return (['client', 'node'] as const).flatMap(end => {
    const tried = telling[end]?.tried ?? []
    return tried.length === 0
      ? []
      : [`${ends[end].id} tried in attempt ${telling.attempt}:`, ...tried.map(one => `  ${one}`)]
  })
}

function historyOf({ history }: PathStory): string {
  if (history.length === 0) return ''
  return columns(
    ['WAS', 'VIA', 'FROM (UTC)', 'FOR', 'REASON'],
    history
      .toReversed()
      .map(({ tier, via, reason, fromMs, untilMs }) => [
        tier,
        via,
        utc(fromMs),
        asDuration((untilMs - fromMs) / 1000),
        reason,
      ]),
  )
}

function endedLine(path: PathStory, nowMs: number): string {
  const last = path.history.findLast(({ tier }) => tier !== 'closed')
  const was =
    last === undefined
      ? 'never carried'
      : `last ${last.tier}${last.reason === null ? '' : ` (${last.reason})`}`
  const until =
    path.closedAtMs === null ? 'not closed' : `closed ${asDuration((nowMs - path.closedAtMs) / 1000)} ago`
  return `  ${utc(path.openedAtMs)}  ${was}, ${until}: ${path.closedBecause ?? 'nobody said why'}`
}

const utc = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').slice(0, 19)
