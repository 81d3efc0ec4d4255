/** What is known of an actor beside what it holds: who it belongs to, what it waits for, whom it speaks with. */
import { useRef } from 'preact/hooks'
import type { ActorView } from '../../../../actors/ports.js'
import { nowMs } from '../../ui/clock.js'
import { bytes, duration } from '../../ui/format.js'
import { ActorLink, Facts } from '../../ui/parts.js'
import { reasonWords } from '../../ui/words.js'

export function Now({ actor }: { actor: ActorView }) {
  const { kind, country, parent, about, reason, unreadBytes, timers, neighbours, watched } = actor
  return (
    <Facts
      of={[
        ['Kind', kind],
        ['Looked after by', parent === null ? null : <ActorLink id={parent} />],
        ...(country === null ? [] : [['Country', country] as const]),
        ...(about === null ? [] : [['About', about] as const]),
        ...(reason === null ? [] : [['Not direct', reasonWords(reason)] as const]),
        [
          'Mailbox',
          unreadBytes === null
            ? 'empty: events are heard at once'
            : `empty; its agent has still to read ${bytes(unreadBytes)}`,
        ],
        ['Timers', timers.length === 0 ? null : <Timers timers={timers} />],
        ['Speaks with', neighbours.length === 0 ? null : <Neighbours ids={neighbours} />],
        ['Watched', watched ? 'yes: its steps are kept while somebody looks' : 'no'],
      ]}
    />
  )
}

/** What it waits for counts down between two answers. */
function Timers({ timers }: Pick<ActorView, 'timers'>) {
  const answered = useRef({ timers, atMs: nowMs.peek() })
  if (answered.current.timers !== timers) answered.current = { timers, atMs: nowMs.peek() }
  const passedMs = nowMs.value - answered.current.atMs
  return (
    <ul class="plain-list">
      {timers.map(({ name, inMs }) => (
        <li key={name}>
          {name} in {duration(Math.max(0, Math.ceil((inMs - passedMs) / 1000) * 1000))}
        </li>
      ))}
    </ul>
  )
}

const Neighbours = ({ ids }: { ids: readonly string[] }) => (
  <ul class="chips">
    {ids.map(id => (
      <li key={id}>
        <ActorLink id={id} />
      </li>
    ))}
  </ul>
)
