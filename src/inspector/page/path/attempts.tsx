/** What was tried to leave the relay, how each end says that it went, and every pair of addresses of the newest ones. */
import type { PathAttempt, PathEndName, PathStory, PathTrial } from '../../../actors/ports.js'
import { ms } from '../ui/format.js'
import { Ago, Empty, Tag, type Tone } from '../ui/parts.js'
import { type Column, Table } from '../ui/table.js'
import { viaWords } from '../ui/words.js'

interface Row {
  readonly attempt: PathAttempt
  readonly end: PathEndName
  readonly id: string
  readonly trial: PathTrial | null
}

const OUTCOMES: Readonly<Record<PathTrial['outcome'], readonly [tone: Tone, words: string]>> = {
  direct: ['good', 'direct'],
  turned: ['accent', 'TURN'],
  failed: ['bad', 'failed'],
}

const CAUSES: Readonly<Record<string, string>> = {
  no_candidates: 'no address to try',
  no_answer: 'no answer came',
  silent: 'it went silent',
  network_changed: 'the network changed',
  slower: 'it was slower than the relay',
  no_socket: 'no UDP socket could be opened',
}

const causeWords = (cause: string | null): string => (cause === null ? '' : (CAUSES[cause] ?? cause))

const COLUMNS: readonly Column<Row>[] = [
  { name: 'Attempt', kind: 'number', cell: ({ attempt }) => attempt.attempt },
  { name: 'By', kind: 'tight', cell: ({ attempt }) => viaWords(attempt.via) },
  {
    name: 'When',
    kind: 'tight',
    cell: ({ attempt }) => (
      <>
        <Ago atMs={attempt.atMs} /> ago
      </>
    ),
  },
  { name: 'End', kind: 'name', cell: ({ id }) => <span class="mono">{id}</span> },
  { name: 'Outcome', cell: ({ trial }) => <Outcome trial={trial} /> },
  { name: 'Cause', cell: ({ trial }) => causeWords(trial?.lost?.cause ?? trial?.cause ?? null) },
  {
    name: 'Pair',
    kind: 'name',
    cell: ({ trial }) =>
      trial !== null &&
      (trial.local !== null || trial.remote !== null) && (
        <span class="mono">
          {trial.local ?? '?'} → {trial.remote ?? '?'}
        </span>
      ),
  },
  { name: 'RTT', kind: 'number', cell: ({ trial }) => ms(trial?.rttMs) },
]

function Outcome({ trial }: { readonly trial: PathTrial | null }) {
  if (trial === null) return <span class="quiet">said nothing</span>
  const [tone, words] = OUTCOMES[trial.outcome]
  if (trial.lost === null) return <Tag tone={tone}>{words}</Tag>
  return (
    <>
      <Tag tone="warn">{words}, lost</Tag> <Ago atMs={trial.lost.atMs} /> ago
    </>
  )
}

export function Attempts({ story: { attempts, ends } }: { readonly story: PathStory }) {
  if (attempts.length === 0)
    return <Empty title="Nothing was tried yet">Both ends have to say first where they can be reached.</Empty>
  const rows = attempts
    .toReversed()
    .flatMap(attempt =>
      (['client', 'node'] as const).map(end => ({ attempt, end, id: ends[end].id, trial: attempt[end] })),
    )
  const telling = rows.filter(({ trial }) => trial !== null && trial.tried.length > 0)
  return (
    <>
      <Table
        caption="Attempts"
        columns={COLUMNS}
        rows={rows}
        keyOf={({ attempt, end }) => `${attempt.attempt} ${end}`}
      />
      {telling.map(({ attempt, end, id, trial }, i) => (
        <details key={`${attempt.attempt} ${end}`} class="fold" open={i < 2}>
          <summary>
            What <span class="mono">{id}</span> tried in attempt {attempt.attempt}
          </summary>
          <ul class="tried mono">
            {trial?.tried.map(each => (
              <li key={each}>{each}</li>
            ))}
          </ul>
        </details>
      ))}
    </>
  )
}
