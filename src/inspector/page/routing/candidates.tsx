/** A decision as a table: who was compared, what each costs and why, who is out. */
import type { Explanation, IdentityId } from '../../../actors/ports.js'
import { outWords } from '../../../mesh/route-words.js'
import { count, plural, short, UNKNOWN } from '../ui/format.js'
import { ActorLink, Empty, Tag, type Tone } from '../ui/parts.js'
import { type Column, Table } from '../ui/table.js'
import { averageOf, TERMS, type Term } from './terms.js'

type Candidate = Explanation['compared'][number]

interface Row {
  readonly candidate: Candidate
  readonly rank: number
}

const LIKINGS: Readonly<Record<NonNullable<Candidate['liking']>, readonly [tone: Tone, words: string]>> = {
  preferred: ['accent', 'preferred'],
  avoided: ['warn', 'rather not'],
  degraded: ['warn', 'carries badly'],
}

/** Rows of those who are out. */
const OUT_ROWS = 30

export function Candidates(props: {
  readonly explanation: Explanation
  /** The node that carries the route. */
  readonly standing: IdentityId | null
  /** Its terms are weighted: what was measured cannot be told from them. */
  readonly isWeighted: boolean
}) {
  const { explanation, standing, isWeighted } = props
  const { compared, qualified, considered } = explanation
  const most = Math.max(
    0.01,
    ...compared.flatMap(({ terms }) => TERMS.map(({ term }) => terms[term] ?? averageOf(term))),
  )
  const columns: readonly Column<Row>[] = [
    { name: '#', kind: 'number', cell: ({ rank }) => rank },
    {
      name: 'Node',
      kind: 'name',
      cell: ({ candidate: { nodeId, liking } }) => (
        <span class="candidate">
          <ActorLink id={`node/${nodeId}`}>{nodeId}</ActorLink>
          {nodeId === standing && <Tag tone="good">carries it</Tag>}
          {liking !== undefined && <Tag tone={LIKINGS[liking][0]}>{LIKINGS[liking][1]}</Tag>}
        </span>
      ),
    },
    { name: 'Cost', kind: 'number', cell: ({ candidate: { cost } }) => <b>{cost.toFixed(2)}</b> },
    ...TERMS.map(
      (term): Column<Row> => ({
        name: term.label,
        kind: 'number',
        about: term.about,
        cell: ({ candidate }) => (
          <Points
            term={term}
            points={candidate.terms[term.term] ?? null}
            most={most}
            isWeighted={isWeighted}
          />
        ),
      }),
    ),
  ]
  return (
    <>
      <p class="panel-note">
        {count(qualified)} of {plural(considered, 'node')} looked at{' '}
        {qualified === 1 ? 'qualifies' : 'qualify'}; {count(compared.length)} compared, best first. The cost
        is the sum of its terms; 1 is what a half-full node costs.
      </p>
      {compared.length === 0 ? (
        <Empty title="No node qualifies">Below is what rules each of them out.</Empty>
      ) : (
        <Table
          caption="Nodes compared"
          columns={columns}
          rows={compared.map((candidate, i) => ({ candidate, rank: i + 1 }))}
          keyOf={({ candidate }) => candidate.nodeId}
          isMarked={({ candidate }) => candidate.nodeId === standing}
        />
      )}
      <Out explanation={explanation} />
    </>
  )
}

/** A term: its points, a bar, and what was measured. */
function Points(props: { term: Term; points: number | null; most: number; isWeighted: boolean }) {
  const { term, points, most, isWeighted } = props
  const counts = points ?? averageOf(term.term)
  return (
    <span class="points" title={points === null ? `unknown: counts as ${short(counts)}` : term.about}>
      {points === null ? UNKNOWN : points.toFixed(2)}
      <span class="points-bar" data-known={points !== null}>
        <span style={{ width: `${Math.min(100, (100 * counts) / most)}%` }} />
      </span>
      <span class="quiet">
        {points === null ? `as ${short(counts)}` : isWeighted ? 'weighted' : term.measured(points)}
      </span>
    </span>
  )
}

/** Those who are out: the first few by name, the others counted. */
function Out({ explanation: { rejected = [], excluded } }: { readonly explanation: Explanation }) {
  const named = rejected.slice(0, OUT_ROWS)
  const rest = new Map(Object.entries(excluded))
  for (const { reason } of named) rest.set(reason, (rest.get(reason) ?? 1) - 1)
  const others = [...rest].filter(([, number]) => number > 0)
  if (named.length === 0 && others.length === 0) return null
  return (
    <details class="fold" open={named.length <= OPEN_MAX}>
      <summary>
        Out:{' '}
        {plural(
          Object.values(excluded).reduce((sum, each) => sum + each, 0),
          'node',
        )}
      </summary>
      <ul class="out">
        {named.map(({ nodeId, reason }) => (
          <li key={nodeId}>
            <ActorLink id={`node/${nodeId}`}>{nodeId}</ActorLink> {outWords(reason)}
          </li>
        ))}
        {others.map(([reason, number]) => (
          <li key={reason} class="quiet">
            {named.length === 0 ? '' : '… and '}
            {plural(number, 'node')} of which each {outWords(reason)}
          </li>
        ))}
      </ul>
    </details>
  )
}

/** More who are out than this are folded away. */
const OPEN_MAX = 8
