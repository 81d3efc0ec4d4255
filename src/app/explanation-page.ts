/** A decision as a person reads it: who was compared and by what, and who is out. */
import type { Explanation, IdentityId, ScoredNode } from '../actors/ports.js'
import { COST_TERMS } from '../protocol/messages.js'
import { columns } from './columns.js'

/** Why a node is out, after its id; a reason that is not here is shown as it is. */
const OUT: Readonly<Record<string, string>> = {
  'not accepting': 'is away, or its heartbeat is',
  draining: 'is being drained',
  full: 'has no place left',
  target: 'is not the node that is asked for',
  pin: 'is not the node that the operator pinned',
  excluded: 'is excluded by the request',
  country: 'is in another country, or does not say',
  region: 'is in another region, or does not say',
  tags: 'lacks a tag',
  group: 'is not in the group',
  exit: 'does not forward to the internet',
  policy: 'has a path policy that does not go with the client’s',
  bandwidth: 'has too little bandwidth left',
  'bandwidth unknown': 'does not say what its uplink carries',
  latency: 'is too far away',
  'latency unknown': 'has no measured round trip yet',
}

const MARKS = { stands: '*', preferred: '+', avoided: '~', degraded: '!' } as const

/** Returns the compared nodes, best first, with what their cost is made of, and what the marks in it mean. */
export function comparedTable(compared: readonly ScoredNode[], standing: IdentityId | null): string {
  const rows = compared.map(({ nodeId, cost, terms, liking }) => [
    [nodeId, ...(nodeId === standing ? [MARKS.stands] : []), ...(liking ? [MARKS[liking]] : [])].join(' '),
    figure(cost),
    ...COST_TERMS.map(term => figure(terms[term] ?? null)),
  ])
  const heading = ['NODE', 'COST', ...COST_TERMS.map(term => term.toUpperCase())]
  const notes = [
    ...(compared.some(({ nodeId }) => nodeId === standing) ? [`${MARKS.stands} carries it now`] : []),
    ...(compared.some(({ liking }) => liking === 'preferred') ? [`${MARKS.preferred} preferred`] : []),
    ...(compared.some(({ liking }) => liking === 'avoided') ? [`${MARKS.avoided} avoided`] : []),
    ...(compared.some(({ liking }) => liking === 'degraded') ? [`${MARKS.degraded} carries badly`] : []),
    ...(rows.some(row => row.includes(null)) ? ['- unknown, counts as average'] : []),
  ]
  const table = columns(heading, rows, 1)
  return notes.length === 0 ? table : `${table}\n${notes.join('   ')}`
}

/** Returns who is out and why, or nothing when nobody is. */
export function rejectedTable({ rejected = [], excluded }: Explanation): string {
  const left = new Map(Object.entries(excluded))
  for (const { reason } of rejected) left.set(reason, (left.get(reason) ?? 1) - 1)
  const more = [...left].filter(([, count]) => count > 0)
  const rows = rejected.map(({ nodeId, reason }) => [nodeId, OUT[reason] ?? reason])
  const table = rows.length === 0 ? [] : [columns(['OUT', 'BECAUSE IT'], rows)]
  const rest = more.map(([reason, count]) => `${count} × ${OUT[reason] ?? reason}`)
  const others = rest.length === 0 ? [] : [`${rows.length === 0 ? 'out' : '… and'}: ${rest.join(', ')}`]
  return [...table, ...others].join('\n')
}

const figure = (value: number | null): string | null => (value === null ? null : value.toFixed(2))
