/** The last steps of an actor, the newest first: what it heard, what its agent said and was told. */
import { useSignal } from '@preact/signals'
import type { ActorStep } from '../../../../actors/ports.js'
import { changeBetween } from '../../chart/states.js'
import { keyOf, runsOf } from '../../sequence/steps.js'
import { Data } from '../../ui/data.js'
import { count, precise } from '../../ui/format.js'
import { Panel } from '../../ui/parts.js'
import { Hold, useHold } from '../../ui/hold.js'
import { Since } from './since.js'

const KINDS: Readonly<Record<ActorStep['kind'], { readonly sign: string; readonly words: string }>> = {
  step: { sign: '•', words: 'heard' },
  said: { sign: '→', words: 'its agent said' },
  told: { sign: '←', words: 'its agent was told' },
}

/** Rows that are shown. */
const ROWS = 100

export function Steps({ steps, dropped }: { steps: readonly ActorStep[]; dropped: number }) {
  const filter = useSignal('')
  const hold = useHold(steps)
  const shown = runsOf(hold.value.filter(step => has(step, filter.value))).slice(-ROWS)
  return (
    <Panel
      title="Events"
      about={dropped > 0 ? `the last 100; ${count(dropped)} had no room` : 'the last 100, the newest first'}
      end={<Hold of={hold} />}
      flush
    >
      <div class="panel-filter">
        <input
          class="input"
          type="search"
          aria-label="Show only events that contain"
          placeholder="Event, state, action or data"
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => {
            filter.value = currentTarget.value.trim().toLowerCase()
          }}
        />
      </div>
      <div class="stream">
        {shown.length === 0 ? (
          <Since hasAny={hold.value.length > 0} />
        ) : (
          <ol class="steps" tabIndex={0} aria-label="Events">
            {shown.toReversed().map(({ step, times }) => (
              <Step key={keyOf(step)} step={step} times={times} />
            ))}
          </ol>
        )}
      </div>
    </Panel>
  )
}

function has(step: ActorStep, text: string): boolean {
  if (text === '') return true
  const { event, from, to, actions, data } = step
  return `${event} ${from} ${to} ${actions.join(' ')} ${JSON.stringify(data)}`.toLowerCase().includes(text)
}

function Step({ step, times }: { step: ActorStep; times: number }) {
  const { atMs, kind, event, from, to, moved, actions, data } = step
  const { sign, words } = KINDS[kind]
  const line = (
    <>
      <span class="quiet mono">{precise(atMs)}</span>
      <span class="step-sign" data-kind={kind} role="img" aria-label={words} title={words}>
        {sign}
      </span>
      <span>
        <strong class="mono">{event}</strong>
        {times > 1 && <span class="quiet"> {count(times)} times</span>}
        {moved && <span class="step-change"> {changeBetween(from, to)}</span>}
        {actions.length > 0 && <span class="quiet"> {actions.join(', ')}</span>}
      </span>
    </>
  )
  const hasData = data !== null && typeof data === 'object' && Object.keys(data).length > 0
  return (
    <li>
      {hasData ? (
        <details>
          <summary class="step">{line}</summary>
          <div class="step-data">
            <Data of={data} open={2} />
          </div>
        </details>
      ) : (
        <div class="step">{line}</div>
      )}
    </li>
  )
}
