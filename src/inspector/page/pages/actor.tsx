/** One actor: its statechart with the current state lit, what it holds, and what it hears, says and does from now on. */
import { type Signal, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { ActorStep, ActorView, Statechart } from '../../../actors/ports.js'
import { Chart } from '../chart/chart.js'
import { statesIn } from '../chart/states.js'
import { useFollow, useView } from '../live/hooks.js'
import { may } from '../live/who.js'
import { joined } from '../sequence/steps.js'
import { Act, ActorActions, undrain } from '../ui/actions.js'
import { Data } from '../ui/data.js'
import { Fault, Heading, Panel, Tag } from '../ui/parts.js'
import { State } from '../ui/state.js'
import { Conversation } from './actor/conversation.js'
import { Gone } from './actor/gone.js'
import { Now } from './actor/now.js'
import { Steps } from './actor/steps.js'

type Charts = Readonly<Partial<Record<string, Statechart>>>

/** Steps that are kept: the last hundred that differ are shown. */
const STEPS = 400
/** Its steps come as they are made: the view is for what changes between them, ms. */
const EVERY_MS = 2_000
/** Statecharts are those of the program: they change with it, ms. */
const CHARTS_EVERY_MS = 60_000
/** How soon an actor is watched again that has ended and is there again, ms. */
const RETURN_MS = 1_000

export function Actor({ id }: { id: string }) {
  const life = useSignal(0)
  const before = useSignal<readonly ActorStep[]>([])
  const ticked = useSignal<readonly string[]>([])
  return (
    <Life
      key={life.value}
      id={id}
      before={before.value}
      ticked={ticked}
      ended={steps => {
        before.value = steps
        life.value++
      }}
    />
  )
}

/** One life of an actor: another one may follow under the same name, and is another one to watch. */
function Life(props: {
  readonly id: string
  /** What was heard in the lives before. */
  readonly before: readonly ActorStep[]
  readonly ticked: Signal<readonly string[]>
  readonly ended: (steps: readonly ActorStep[]) => void
}) {
  const { id } = props
  const {
    value: actor,
    fault,
    status,
  } = useView<ActorView>(`/api/v1/actors/${encodeURIComponent(id)}`, EVERY_MS)
  const { value: charts } = useView<{ readonly statecharts: Charts }>('/api/v1/statecharts', CHARTS_EVERY_MS)
  const { events, dropped, ended } = useFollow<ActorStep>({ topic: 'actor', of: id }, STEPS)
  const steps = joined(props.before, events, STEPS)
  const known = useRef<ActorView | null>(null)
  if (actor !== null) known.current = actor
  // What is said and told changes no state by itself.
  const last = steps.findLast(({ kind }) => kind === 'step') ?? null
  const state = useNewest(actor?.state ?? null, last)
  const isBack = ended !== null && actor !== null
  useEffect(() => {
    if (!isBack) return
    const timer = setTimeout(() => props.ended(steps), RETURN_MS)
    return () => clearTimeout(timer)
  }, [isBack])
  if (actor === null)
    return (
      <>
        <Heading title={<Name id={id} />} about={status === 404 && <Tag>gone</Tag>} />
        {status === 404 ? <Gone id={id} last={known.current} /> : fault !== null && <Fault>{fault}</Fault>}
      </>
    )
  const chart = charts?.statecharts[actor.kind]
  return (
    <>
      <Heading title={<Name id={id} />} about={<State of={state ?? actor.state} />}>
        <ActorActions id={id} />
        {isDrained(actor) && may('operator') && <Act question={undrain(id.slice(id.indexOf('/') + 1))} />}
      </Heading>
      {fault !== null && <Fault>{fault}</Fault>}
      <div class="actor-columns">
        <Panel title="Statechart" about={chart?.id} flush>
          {chart === undefined ? (
            <div class="chart" aria-busy={charts === null} />
          ) : (
            <Chart chart={chart} lit={statesIn(state ?? '')} last={last?.to === state ? last : null} />
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
        <Conversation id={id} steps={steps} neighbours={actor.neighbours} ticked={props.ticked} />
        <Steps steps={steps} dropped={dropped} />
      </div>
    </>
  )
}

/** Whether it is a drain, or a node that is being left. */
const isDrained = ({ kind, state }: ActorView): boolean =>
  kind === 'drain' || (kind === 'node' && state.includes('duty: leaving'))

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
