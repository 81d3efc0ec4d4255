/** Asks once before something is done, says what will happen, and what came of it. */
import { signal, useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { fieldsOf } from './form.js'
import { Fault } from './parts.js'

export interface Question {
  readonly title: string
  /** What will happen when it is done. */
  readonly consequence: ComponentChildren
  /** What the button says: the verb of the action. */
  readonly verb: string
  /** What the other button says, where "Cancel" could be taken for the action. */
  readonly dismiss?: string
  readonly isDangerous?: boolean
  /** Its fields stand beside each other where there is room. */
  readonly isWide?: boolean
  /** What else has to be known: fields of a form, by their names. */
  readonly fields?: ComponentChildren
  /** Resolves with what to tell the person; rejects with an Error that is shown while the dialog stays. */
  readonly act: (fields: Readonly<Record<string, string>>) => Promise<string>
}

const asked = signal<Question | null>(null)
const told = signal<string | null>(null)

/** Opens the dialog. */
export function confirm(question: Question): void {
  asked.value = question
}

/** Shows a line for a while. */
export function tell(text: string): void {
  told.value = text
}

/** How long a line stands, ms. */
const TOLD_MS = 5000

/** Where dialogs and lines appear; once in the page. */
export function Dialogs() {
  const text = told.value
  useEffect(() => {
    if (text === null) return
    const timer = setTimeout(() => {
      told.value = null
    }, TOLD_MS)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <>
      {asked.value !== null && <Ask key={asked.value.title} question={asked.value} />}
      <div role="status">{text !== null && <p class="toast">{text}</p>}</div>
    </>
  )
}

function Ask({ question }: { question: Question }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const fault = useSignal<string | null>(null)
  const isBusy = useSignal(false)
  useEffect(() => dialog.current?.showModal(), [])
  const close = () => {
    asked.value = null
  }
  const act = async (form: HTMLFormElement) => {
    isBusy.value = true
    fault.value = null
    try {
      tell(await question.act(fieldsOf(form)))
      close()
    } catch (error) {
      fault.value = error instanceof Error ? error.message : String(error)
      isBusy.value = false
    }
  }
  return (
    <dialog
      ref={dialog}
      {...(question.isWide === true && { class: 'wide' })}
      onClose={close}
      aria-labelledby="question"
    >
      <form
        class="dialog-body"
        onSubmit={event => {
          event.preventDefault()
          void act(event.currentTarget)
        }}
      >
        <h1 id="question">{question.title}</h1>
        <div>{question.consequence}</div>
        {question.fields}
        {fault.value !== null && <Fault>{fault.value}</Fault>}
        <div class="dialog-end">
          <button type="button" class="button" onClick={close}>
            {question.dismiss ?? 'Cancel'}
          </button>
          <button
            type="submit"
            class="button"
            data-kind={question.isDangerous === true ? 'danger' : 'main'}
            disabled={isBusy.value}
          >
            {question.verb}
          </button>
        </div>
      </form>
    </dialog>
  )
}
