/** The messages between an actor and its neighbours; those that are ticked are followed as well. */
import { type Signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { ActorStep } from '../../../../actors/ports.js'
import { useFollow } from '../../live/hooks.js'
import { linksOf, speakersOf } from '../../sequence/messages.js'
import { Sequence } from '../../sequence/sequence.js'
import { Hold, useHold } from '../../ui/hold.js'
import { Panel } from '../../ui/parts.js'
import { Since } from './since.js'

/** Neighbours that are followed at once, beside the actor itself. */
const FOLLOWED = 4
/** Neighbours that are offered: a node with many clients has more than one wants to see. */
const OFFERED = 12
/** Steps that are kept of each. */
const STEPS = 80

type Heard = Readonly<Record<string, readonly ActorStep[]>>

export function Conversation(props: {
  readonly id: string
  readonly steps: readonly ActorStep[]
  readonly neighbours: readonly string[]
  /** Those that are followed as well. */
  readonly ticked: Signal<readonly string[]>
}) {
  const { id, steps, neighbours, ticked } = props
  const heard = useSignal<Heard>({})
  const circle = { one: id, others: ticked.value, links: linksOf(id, steps, neighbours) }
  const hold = useHold([...steps, ...Object.values(heard.value).flat()])
  const toggle = (other: string) => {
    const { [other]: _, ...rest } = heard.peek()
    heard.value = rest
    ticked.value = ticked.value.includes(other)
      ? ticked.value.filter(each => each !== other)
      : [...ticked.value, other]
  }
  // One that has gone stays offered while it is ticked, so that it can be let go.
  const offered = [...new Set([...ticked.value, ...neighbours, ...speakersOf(id, steps).toSorted()])].slice(
    0,
    OFFERED,
  )
  return (
    <Panel title="Messages" about="the newest at the bottom" end={<Hold of={hold} />} flush>
      {offered.length > 0 && (
        <div class="panel-filter ticks" role="group" aria-label="Follow neighbours as well">
          <span class="quiet">Follow as well</span>
          {offered.map(other => {
            const isTicked = ticked.value.includes(other)
            return (
              <label key={other} class="tick">
                <input
                  type="checkbox"
                  checked={isTicked}
                  disabled={!isTicked && ticked.value.length >= FOLLOWED}
                  onChange={() => toggle(other)}
                />
                <span class="mono">{other}</span>
              </label>
            )
          })}
        </div>
      )}
      {ticked.value.map(other => (
        <Ear
          key={other}
          of={other}
          hear={events => {
            heard.value = { ...heard.peek(), [other]: events }
          }}
        />
      ))}
      <div class="stream">
        {hold.value.length === 0 ? <Since /> : <Sequence steps={hold.value} circle={circle} />}
      </div>
    </Panel>
  )
}

/** Follows one neighbour while it is there. */
function Ear({ of, hear }: { of: string; hear: (events: readonly ActorStep[]) => void }) {
  const { events } = useFollow<ActorStep>({ topic: 'actor', of }, STEPS)
  useEffect(() => hear(events), [events])
  return null
}
