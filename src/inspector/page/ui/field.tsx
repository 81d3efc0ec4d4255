/** Fields of a form that say what they mean. */
import { useId } from 'preact/hooks'

interface Input {
  readonly type?: 'datetime-local' | 'password'
  readonly required?: boolean
  readonly inputMode?: 'decimal' | 'numeric'
  readonly maxLength?: number
  readonly placeholder?: string
}

export const Field = (
  props: Input & {
    readonly name: string
    readonly label: string
    /** What it is filled with at first. */
    readonly value?: string | undefined
    /** What the figure is of, behind the field: `GB`. */
    readonly unit?: string
    /** What else one should know, below the field. */
    readonly hint?: string
  },
) => {
  const { name, label, value = '', unit, hint, ...input } = props
  const hintId = useId()
  return (
    <label class="field">
      <span>{label}</span>
      <span class={unit === undefined ? 'field-line' : 'field-line with-unit'}>
        <input
          class="input"
          name={name}
          defaultValue={value}
          // A browser fills in a password of its own otherwise.
          autocomplete={input.type === 'password' ? 'new-password' : 'off'}
          spellcheck={false}
          // Without it all that is in the label would be its name.
          aria-label={unit === undefined ? label : `${label}, ${unit}`}
          {...(hint !== undefined && { 'aria-describedby': hintId })}
          {...input}
        />
        {unit !== undefined && <span class="field-unit">{unit}</span>}
      </span>
      {hint !== undefined && (
        <small id={hintId} class="field-hint">
          {hint}
        </small>
      )}
    </label>
  )
}

/** One for a text of many lines: a certificate, a key. */
export const LongField = (props: {
  readonly name: string
  readonly label: string
  readonly value?: string
  readonly placeholder?: string
  readonly hint?: string
  readonly required?: boolean
}) => {
  const { name, label, value = '', hint, ...input } = props
  const hintId = useId()
  return (
    <label class="field">
      <span>{label}</span>
      <textarea
        class="input long"
        name={name}
        defaultValue={value}
        rows={4}
        autocomplete="off"
        spellcheck={false}
        aria-label={label}
        {...(hint !== undefined && { 'aria-describedby': hintId })}
        {...input}
      />
      {hint !== undefined && (
        <small id={hintId} class="field-hint">
          {hint}
        </small>
      )}
    </label>
  )
}
