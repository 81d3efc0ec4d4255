/** What an actor and its neighbours say to each other, as lifelines with arrows between them; the newest is at the bottom. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { ActorStep } from '../../../actors/ports.js'
import { to } from '../route.js'
import { precise } from '../ui/format.js'
import { type Circle, lifelinesOf, type Message, messagesOf } from './messages.js'

/** Messages that are drawn at most: the oldest go. */
const MOST = 80
/** So near to the end one is there, px. */
const NEAR = 40

export function Sequence({ steps, circle }: { steps: readonly ActorStep[]; circle: Circle }) {
  const place = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  const followed = [circle.one, ...circle.others]
  const all = messagesOf(steps, circle, MOST)
  const lifelines = lifelinesOf(all, circle)
  const messages = all.filter(({ from, to: end }) => lifelines.includes(from) && lifelines.includes(end))
  useEffect(() => {
    // Whoever has scrolled back to look at something stays there.
    if (place.current !== null && isAtEnd.current) place.current.scrollTop = place.current.scrollHeight
  }, [messages.at(-1)?.key])
  return (
    <div
      ref={place}
      class="sequence"
      tabIndex={0}
      role="region"
      aria-label="Messages"
      style={{ '--lifelines': lifelines.length }}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR
      }}
    >
      <div class="sequence-head">
        <span />
        {lifelines.map(id => (
          <Lifeline key={id} id={id} isFollowed={followed.includes(id)} />
        ))}
      </div>
      <div class="sequence-body">
        <div class="sequence-lines" aria-hidden="true">
          <span />
          {lifelines.map(id => (
            <i key={id} />
          ))}
        </div>
        <ol>
          {messages.map(message => (
            <Row key={message.key} message={message} lifelines={lifelines} />
          ))}
        </ol>
      </div>
    </div>
  )
}

function Lifeline({ id, isFollowed }: { id: string; isFollowed: boolean }) {
  if (id.startsWith('agent ')) return <span class="lifeline quiet">agent {nameIn(id)}</span>
  return (
    <a class="lifeline mono" href={to(['actors', id])} title={id} data-followed={isFollowed ? 'yes' : 'no'}>
      {id}
    </a>
  )
}

const nameIn = (id: string): string => id.slice(id.indexOf('/') + 1)

function Row({ message, lifelines }: { message: Message; lifelines: readonly string[] }) {
  const { atMs, from, to: end, event, change, link } = message
  const [start, stop] = [lifelines.indexOf(from), lifelines.indexOf(end)]
  const words = (
    <>
      <span class="mono">{event}</span>
      {link !== null && <span class="quiet"> {link}</span>}
      {change !== '' && <span class="sequence-change"> {change}</span>}
    </>
  )
  return (
    <li>
      <span class="quiet mono">{precise(atMs)}</span>
      {start === stop ? (
        <Alone at={start} of={lifelines.length}>
          {words}
        </Alone>
      ) : (
        <span
          class="sequence-arrow"
          data-way={start < stop ? 'right' : 'left'}
          style={{
            gridColumn: `${Math.min(start, stop) + 2} / ${Math.max(start, stop) + 3}`,
            '--half': `${50 / (Math.abs(start - stop) + 1)}%`,
          }}
        >
          <span class="hidden-visually">
            {from} to {end}:{' '}
          </span>
          <span class="sequence-words">{words}</span>
        </span>
      )}
    </li>
  )
}

/** What an actor does by itself stands beside its lifeline: to the right while there is room. */
function Alone({ at, of, children }: { at: number; of: number; children: ComponentChildren }) {
  const isRight = at <= (of - 1) / 2
  return (
    <span
      class="sequence-alone"
      data-side={isRight ? 'right' : 'left'}
      style={{
        gridColumn: isRight ? `${at + 2} / ${of + 2}` : `2 / ${at + 3}`,
        '--half': `${50 / (isRight ? of - at : at + 1)}%`,
      }}
    >
      <span class="sequence-words">{children}</span>
    </span>
  )
}
