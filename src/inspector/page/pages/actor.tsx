/** One actor: its statechart with the current state lit, what it holds, and what it hears, says and does from now on. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { ActorStep, ActorView, Statechart } from '../../../actors/ports.js'
import { Chart } from '../chart/chart.js'
import { statesIn } from '../chart/states.js'
import { useFollow, useView } from '../live/hooks.js'
import { may } from '../live/who.js'
import { Act, ActorActions, undrain } from '../ui/actions.js'
import { Data } from '../ui/data.js'
import { Fault, Heading, Panel, Tag } from '../ui/parts.js'
import { toneOfState } from '../ui/words.js'
import { Conversation } from './actor/conversation.js'
import { Gone } from './actor/gone.js'
import { Now } from './actor/now.js'
import { Steps } from './actor/steps.js'

type Charts = Readonly<Partial<Record<string, Statechart>>>

/** Steps that are kept. */
const STEPS = 100
/** Statecharts are those of the program: they change with it, ms. */
const CHARTS_EVERY_MS = 60_000
/** How soon an actor is watched again that has ended and is there again, ms. */
const RETURN_MS = 1_000

export function Actor({ id }: { id: string }) {
  const life = useSignal(0)
  return <Life key={life.value} id={id} again={() => life.value++} />
}

/** One life of an actor: another one may follow under the same name, and is another one to watch. */
function Life({ id, again }: { id: string; again: () => void }) {
  const { value: actor, fault, status } = useView<ActorView>(`/api/v1/actors/${encodeURIComponent(id)}`)
  const { value: charts } = useView<{ readonly statecharts: Charts }>('/api/v1/statecharts', CHARTS_EVERY_MS)
  const { events: steps, dropped, ended } = useFollow<ActorStep>({ topic: 'actor', of: id }, STEPS)
  const known = useRef<ActorView | null>(null)
  if (actor !== null) known.current = actor
  const state = useNewest(actor?.state ?? null, steps.at(-1) ?? null)
  const isBack = ended !== null && actor !== null
  useEffect(() => {
    if (!isBack) return
    const timer = setTimeout(again, RETURN_MS)
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
