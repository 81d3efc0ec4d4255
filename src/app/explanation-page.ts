/** A decision as a person reads it: who was compared and by what, and who is out. */
import type { Explanation, IdentityId, RouteWish, Steering } from '../actors/ports.js'
import { outWords } from '../mesh/route-words.js'
import { COST_TERMS } from '../protocol/messages.js'
import { columns } from './columns.js'
import { weightList } from './wish.js'

const MARKS = { stands: '*', preferred: '+', avoided: '~', degraded: '!' } as const
const LIKINGS = ['preferred', 'avoided'] as const
/** Rows of a table on a terminal. */
export const TABLE_ROWS = 40

/** Returns what is asked of the node: by the client, by the operator, and by this order; a line each, none when it is nothing. */
export function askedOf(wish: RouteWish, steering: Steering, order: RouteWish = {}): string[] {
  const wished = wordsOf(wish)
  const ordered = wordsOf(order)
  const { pin, group, prefer, avoid, weights } = steering
  const steered = [
    ...(pin === null ? [] : [`only ${pin}`]),
    ...wordsOf({ prefer, avoid, weights: weightList(weights) }),
    ...(group === null ? [] : [`group ${group}`]),
  ]
  return [
    ...(wished.length === 0 ? [] : [`asked for: ${wished.join(', ')}`]),
    ...(steered.length === 0 ? [] : [`steered: ${steered.join(', ')}`]),
    ...(ordered.length === 0 ? [] : [`ordered: ${ordered.join(', ')}`]),
  ]
}

/** Returns how many of the nodes qualify, as a clause. */
export const qualifiedText = ({ considered, qualified }: Explanation): string =>
  `${qualified} of ${considered} nodes ${qualified === 1 ? 'qualifies' : 'qualify'}`

/** Returns the compared nodes, best first, with what their cost is made of, and what the marks in it mean. */
export function comparedTable({ compared, qualified }: Explanation, standing: IdentityId | null): string {
  const rows = compared.map(({ nodeId, cost, terms, liking }) => [
    [nodeId, ...(nodeId === standing ? [MARKS.stands] : []), ...(liking ? [MARKS[liking]] : [])].join(' '),
    figure(cost),
    ...COST_TERMS.map(term => figure(terms[term] ?? null)),
  ])
  const heading = ['NODE', 'COST', ...COST_TERMS.map(term => term.toUpperCase())]
  const notes = [
    ...(compared.some(({ nodeId }) => nodeId === standing) ? [`${MARKS.stands} carries it`] : []),
    ...LIKINGS.flatMap(liking =>
      compared.some(node => node.liking === liking) ? [`${MARKS[liking]} ${liking}`] : [],
    ),
    ...(compared.some(({ liking }) => liking === 'degraded') ? [`${MARKS.degraded} carries badly`] : []),
  ]
  return [
    columns(heading, rows, 1),
    ...(compared.length === TABLE_ROWS && qualified > TABLE_ROWS
      ? [`… the best ${TABLE_ROWS} of ${qualified}`]
      : []),
    ['COST is the sum of its terms', ...notes].join('   '),
    ...(rows.some(row => row.includes(null)) ? ['- unknown, counts as average'] : []),
  ].join('\n')
}

/** Returns who is out and why; empty when nobody is. `left`: the node that the route came from. */
export function rejectedTable(
  { rejected = [], excluded }: Explanation,
  left: IdentityId | null = null,
): string {
  const unnamed = new Map(Object.entries(excluded))
  for (const { reason } of rejected) unnamed.set(reason, (unnamed.get(reason) ?? 1) - 1)
  const others = [...unnamed].flatMap(([reason, count]) =>
    count > 0 ? [`${count} × ${outWords(reason)}`] : [],
  )
  const because = (nodeId: IdentityId, reason: string) =>
    reason === 'excluded' && nodeId === left ? 'is the one that was left' : outWords(reason)
  const named = rejected.map(({ nodeId, reason }) => [nodeId, because(nodeId, reason)])
  return [
    ...(named.length === 0 ? [] : [columns(['OUT', 'BECAUSE IT'], named)]),
    ...(others.length === 0 ? [] : [`${named.length === 0 ? 'out:' : '… and'} ${others.join(', ')}`]),
  ].join('\n')
}

function wordsOf(wish: RouteWish): string[] {
  const named = (word: string, ids: readonly string[] = []) =>
    ids.length === 0 ? [] : [`${word} ${ids.join(' ')}`]
  return [
    ...(wish.target === undefined ? [] : [`node ${wish.target}`]),
    ...(wish.country === undefined ? [] : [`country ${wish.country}`]),
    ...(wish.region === undefined ? [] : [`region ${wish.region}`]),
    ...(wish.exit === true ? ['exit'] : []),
    ...named('tags', wish.tags),
    ...(wish.group === undefined ? [] : [`group ${wish.group}`]),
    ...(wish.minBandwidthMbps === undefined ? [] : [`${wish.minBandwidthMbps} Mbit/s left`]),
    ...(wish.maxLatencyMs === undefined ? [] : [`round trip up to ${wish.maxLatencyMs} ms`]),
    ...named('not', wish.exclude),
    ...named('rather', wish.prefer),
    ...named('rather not', wish.avoid),
    ...named(
      'weights',
      wish.weights?.map(pair => pair.join('=')),
    ),
  ]
}

const figure = (value: number | null): string | null => (value === null ? null : value.toFixed(2))
