/** One actor: its statechart with the current state lit, what it holds, and what it hears, says and does from now on. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { ActorStep, ActorView, Statechart } from '../../../actors/ports.js'
import { Chart } from '../chart/chart.js'
import { statesIn } from '../chart/states.js'
import { useFollow, useView } from '../live/hooks.js'
import { may } from '../live/who.js'
import { to } from '../route.js'
import { Act, ActorActions, undrain } from '../ui/actions.js'
import { nowMs } from '../ui/clock.js'
import { Data } from '../ui/data.js'
import { bytes, duration } from '../ui/format.js'
import { ActorLink, Empty, Facts, Fault, Heading, Panel, Tag } from '../ui/parts.js'
import { reasonWords, toneOfState } from '../ui/words.js'
import { Conversation } from './actor/conversation.js'
import { Steps } from './actor/steps.js'

type Charts = Readonly<Partial<Record<string, Statechart>>>

/** Steps that are kept. */
const STEPS = 100
/** Statecharts are those of the program: they change with it, ms. */
const CHARTS_EVERY_MS = 60_000

export function Actor({ id }: { id: string }) {
  const { value: actor, fault, status } = useView<ActorView>(`/api/v1/actors/${encodeURIComponent(id)}`)
  const { value: charts } = useView<{ readonly statecharts: Charts }>('/api/v1/statecharts', CHARTS_EVERY_MS)
  const { events: steps, dropped } = useFollow<ActorStep>({ topic: 'actor', of: id }, STEPS)
  const known = useRef<ActorView | null>(null)
  if (actor !== null) known.current = actor
  const state = useNewest(actor?.state ?? null, steps.at(-1) ?? null)
  if (status === 404) return <Gone id={id} last={known.current} />
  if (actor === null) return fault === null ? <Heading title={<Name id={id} />} /> : <Fault>{fault}</Fault>
  const chart = charts?.statecharts[actor.kind]
  const last = steps.findLast(({ kind }) => kind === 'step') ?? null
  return (
    <>
      <Heading title={<Name id={id} />} about={<Tag tone={toneOfState(state ?? '')}>{state}</Tag>}>
        <ActorActions id={id} />
        {actor.kind === 'drain' && may('operator') && <Act question={undrain(id.slice('drain/'.length))} />}
      </Heading>
      {fault !== null && <Fault>{fault}</Fault>}
      <div class="actor-columns">
        <Panel title="Statechart" about={chart?.id} flush>
          {chart === undefined ? (
            <div class="chart" aria-busy={charts === null} />
          ) : (
            <Chart chart={chart} lit={statesIn(state ?? '')} last={last} />
          )}
        </Panel>
        <div class="stack">
          <Panel title="Now">
            <Now actor={actor} />
          </Panel>
          <Panel title="Context" about="what it holds; secrets are masked">
            <div class="scrolled">
              <Data of={actor.context} />
            </div>
          </Panel>
        </div>
      </div>
      <div class="actor-streams">
        <Conversation id={id} steps={steps} neighbours={actor.neighbours} />
        <Steps steps={steps} dropped={dropped} />
      </div>
    </>
  )
}

const Name = ({ id }: { id: string }) => <span class="mono name">{id}</span>

/** Returns the state as it was told last: views come now and then, steps at once. */
function useNewest(seen: string | null, step: ActorStep | null): string | null {
  const state = useSignal(seen)
  useEffect(() => {
    if (seen !== null) state.value = seen
  }, [seen])
  useEffect(() => {
    if (step !== null) state.value = step.to
  }, [step])
  return state.value ?? seen
}

function Now({ actor }: { actor: ActorView }) {
  const { kind, country, parent, about, reason, unreadBytes, timers, neighbours, watched } = actor
  return (
    <Facts
      of={[
        ['Kind', kind],
        ['Looked after by', parent !== null && <ActorLink id={parent} />],
        ...(country === null ? [] : [['Country', country] as const]),
        ...(about === null ? [] : [['About', about] as const]),
        ...(reason === null ? [] : [['Not direct', reasonWords(reason)] as const]),
        [
          'Mailbox',
          unreadBytes === null
            ? 'empty: events are heard at once'
            : `empty; ${bytes(unreadBytes)} in its socket that its agent has not read`,
        ],
        ['Timers', timers.length > 0 && <Timers timers={timers} />],
        ['Speaks with', neighbours.length > 0 && <Neighbours ids={neighbours} />],
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

/** Said where the actor was. */
function Gone({ id, last }: { id: string; last: ActorView | null }) {
  const [kind, name = ''] = id.split('/')
  const isIdentity = kind === 'node' || kind === 'client'
  return (
    <>
      <Heading title={<Name id={id} />} about={<Tag>gone</Tag>} />
      <section class="panel">
        <Empty title={last === null ? 'There is no such actor now' : 'This actor is gone'}>
          {last !== null && <>It was last {last.state}. </>}
          {isIdentity
            ? 'A session ends when its agent leaves, is away for too long or is sent away; it is here again as soon as the agent is back. '
            : 'It has ended, or never was. '}
          {last?.parent != null && (
            <>
              Look at <ActorLink id={last.parent} />, which looked after it.{' '}
            </>
          )}
          {isIdentity && (
            <>
              What was done to it is in <a href={to(['audit'], { subject: name })}>the audit</a>.{' '}
            </>
          )}
          <a href={to(['actors'])}>All actors</a>
        </Empty>
      </section>
    </>
  )
}
