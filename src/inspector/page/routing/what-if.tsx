/** What if a client asked for something else: the decision as it would be, and nothing is changed. */
import { useSignal } from '@preact/signals'
import type { Deliberation } from '../../../actors/ports.js'
import { ask } from '../live/hooks.js'
import type { Body } from '../live/line.js'
import { may } from '../live/who.js'
import { fieldsOf } from '../ui/form.js'
import { Facts, Fault, Panel } from '../ui/parts.js'
import { Candidates } from './candidates.js'
import { isWeighted, steeringWords, wishWords, Words } from './wish.js'

/** Nodes of a decision that a table still shows. */
const ROWS = 50

/** Nothing for who may not ask for routes. `clientId`: whom it is about; absent: the person says so. */
export function WhatIf({ clientId }: { readonly clientId?: string }) {
  const answer = useSignal<Deliberation | null>(null)
  const fault = useSignal<string | null>(null)
  const isBusy = useSignal(false)
  if (!may('operator')) return null
  const decide = async (form: HTMLFormElement) => {
    isBusy.value = true
    fault.value = null
    try {
      const fields = fieldsOf(form)
      const body = { clientId: clientId ?? fields['clientId'] ?? '', wish: wishOf(fields), dryRun: true }
      answer.value = await ask<Deliberation>('POST', `/api/v1/routes?limit=${ROWS}`, body)
    } catch (error) {
      answer.value = null
      fault.value = error instanceof Error ? error.message : String(error)
    }
    isBusy.value = false
  }
  return (
    <Panel title="What if" about="tries a request out, and changes nothing">
      <form
        class="filters what-if"
        onSubmit={event => {
          event.preventDefault()
          void decide(event.currentTarget)
        }}
      >
        {clientId === undefined && <Field name="clientId" label="Client" isRequired />}
        <Field name="country" label="Country" hint="DE" pattern="[A-Z]{2}" />
        <label class="field">
          <span>Exit to the internet</span>
          <select class="input" name="exit">
            <option value="">Any</option>
            <option value="true">Wanted</option>
          </select>
        </label>
        <Field name="tags" label="Has all tags" hint="fast, gpu" />
        <Field name="prefer" label="Rather" hint="fra-1" />
        <Field name="avoid" label="Rather not" hint="ams-1" />
        <Field name="exclude" label="Not at all" hint="ams-1" />
        <button type="submit" class="button" data-kind="main" disabled={isBusy.value}>
          Try
        </button>
      </form>
      {fault.value !== null && <Fault>{fault.value}</Fault>}
      {answer.value !== null && <Come answer={answer.value} />}
    </Panel>
  )
}

function Come({
  answer: { clientId, order, wish, steering, standing, explanation },
}: {
  readonly answer: Deliberation
}) {
  const best = explanation.compared[0]?.nodeId ?? null
  return (
    <div class="what-if-answer" role="status">
      <p>
        {best === null ? (
          <>No node would qualify: {clientId} would be refused.</>
        ) : standing?.nodeId === best ? (
          <>
            {clientId} would stay on <b class="mono">{best}</b>.
          </>
        ) : (
          <>
            The best for {clientId} would be <b class="mono">{best}</b>
            {standing === null ? '; it has no route now.' : `; now it is on ${standing.nodeId}.`}
          </>
        )}
      </p>
      <Facts
        of={[
          ['This request', <Words of={wishWords(order)} none="nothing" />],
          ['Its route was asked for', <Words of={wishWords(wish)} none="nothing" />],
          ['Steered', <Words of={steeringWords(steering)} none="not at all" />],
        ]}
      />
      <Candidates
        explanation={explanation}
        standing={standing?.nodeId ?? null}
        isWeighted={isWeighted(wish, steering)}
      />
    </div>
  )
}

const Field = (props: {
  name: string
  label: string
  hint?: string
  pattern?: string
  isRequired?: boolean
}) => (
  <label class="field">
    <span>{props.label}</span>
    <input
      class="input"
      name={props.name}
      placeholder={props.hint}
      pattern={props.pattern}
      required={props.isRequired === true}
      autocomplete="off"
      spellcheck={false}
      maxLength={TEXT_MAX}
    />
  </label>
)

/** A few names of 64 letters. */
const TEXT_MAX = 512

/** Returns the wish that the fields spell; lists are by commas or spaces. */
function wishOf(fields: Readonly<Record<string, string>>): Body {
  const list = (name: string) => {
    const names = (fields[name] ?? '').split(/[\s,]+/).filter(each => each !== '')
    return names.length === 0 ? {} : { [name]: names }
  }
  const country = fields['country']?.trim() ?? ''
  return {
    ...(country !== '' && { country }),
    ...(fields['exit'] === 'true' && { exit: true }),
    ...list('tags'),
    ...list('prefer'),
    ...list('avoid'),
    ...list('exclude'),
  }
}
