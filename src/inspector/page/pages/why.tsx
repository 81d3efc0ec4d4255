/** Why any two are connected as they are, or are not: now, and before. */
import type { PathStory, WhyView } from '../../../actors/ports.js'
import { useView } from '../live/hooks.js'
import { Moment, Story } from '../path/story.js'
import { go, route, to } from '../route.js'
import { duration } from '../ui/format.js'
import { fieldsOf } from '../ui/form.js'
import { Empty, Fault, Heading, Panel } from '../ui/parts.js'
import { type Column, Table } from '../ui/table.js'
import { Tier } from '../ui/tier.js'
import { reasonWords } from '../ui/words.js'

/** It asks the database too. ms */
const EVERY_MS = 5000

export function Why() {
  const { a = '', b = '' } = route.value.query
  const isAsked = a !== '' && b !== ''
  const { value: why, fault } = useView<WhyView>(
    isAsked ? `/api/v1/why?${new URLSearchParams({ a, b })}` : null,
    EVERY_MS,
  )
  return (
    <>
      <Heading title="Why" about="how a client and a node are connected, and why not better" />
      <WhyForm key={`${a} ${b}`} a={a} b={b} />
      {isAsked && fault !== null && <Fault>{fault}</Fault>}
      {!isAsked && (
        <section class="panel">
          <Empty title="Between which two?">
            Name a client and a node, in either order. The answer says how their packets travel, why not
            directly, what would change that, and what there was before.
          </Empty>
        </section>
      )}
      {isAsked && why !== null && <Answer key={`${a} ${b}`} why={why} />}
    </>
  )
}

/** Asks for two ids, and goes to the answer. */
export function WhyForm({ a = '', b = '' }: { readonly a?: string; readonly b?: string }) {
  return (
    <form
      class="filters"
      onSubmit={event => {
        event.preventDefault()
        const fields = fieldsOf(event.currentTarget)
        go(to(['why'], { a: fields['a']?.trim(), b: fields['b']?.trim() }))
      }}
    >
      {(
        [
          ['a', 'Client or node', a],
          ['b', 'The other end', b],
        ] as const
      ).map(([name, label, value]) => (
        <label key={name} class="field">
          <span>{label}</span>
          <input
            class="input"
            name={name}
            defaultValue={value}
            required
            autocomplete="off"
            spellcheck={false}
            maxLength={64}
          />
        </label>
      ))}
      <button type="submit" class="button">
        Why?
      </button>
    </form>
  )
}

function Answer({ why: { words, paths, complete } }: { readonly why: WhyView }) {
  const [newest, ...before] = paths
  return (
    <>
      {!complete && <p class="notice">The database is away: only what is in memory was looked at.</p>}
      {newest === undefined ? (
        <section class="panel">
          <Empty title="They have no path">{words}.</Empty>
        </section>
      ) : (
        <Story story={newest} />
      )}
      {before.length > 0 && (
        <Panel title="Before that" about="ended paths between the two, the newest first" flush>
          <Table caption="Earlier paths" columns={COLUMNS} rows={before} keyOf={({ pathId }) => pathId} />
        </Panel>
      )}
    </>
  )
}

/** What carried last; a path that has ended is at no tier any more. */
const lastOf = ({ tier, reason, history }: PathStory) =>
  tier === 'closed' ? history.findLast(stay => stay.tier !== 'closed') : { tier, reason }

const COLUMNS: readonly Column<PathStory>[] = [
  { name: 'Opened', cell: ({ openedAtMs }) => <Moment atMs={openedAtMs} /> },
  {
    name: 'For',
    kind: 'number',
    cell: ({ openedAtMs, closedAtMs }) => (closedAtMs === null ? '' : duration(closedAtMs - openedAtMs)),
  },
  {
    name: 'Last tier',
    cell: path => {
      const last = lastOf(path)
      return last === undefined ? 'never carried' : <Tier tier={last.tier} />
    },
  },
  { name: 'Why not direct', cell: path => reasonWords(lastOf(path)?.reason ?? null) },
  { name: 'Closed because', cell: ({ closedBecause }) => closedBecause },
]
