/** Filters of a list. They live in the address, so a filtered list can be linked to. */
import { useEffect, useRef } from 'preact/hooks'
import { narrow, route } from '../route.js'

/** How long nobody types until the list is asked for anew, ms. */
const PAUSE_MS = 200

export function TextFilter({ name, label, wide }: { name: string; label: string; wide?: boolean }) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const input = useRef<HTMLInputElement>(null)
  const value = route.value.query[name] ?? ''
  useEffect(() => {
    // The address changed from outside; while one types it is behind.
    if (input.current !== null && document.activeElement !== input.current) input.current.value = value
  }, [value])
  useEffect(() => () => clearTimeout(timer.current), [])
  return (
    <label class={wide === true ? 'field grow' : 'field'}>
      <span>{label}</span>
      <input
        ref={input}
        class="input"
        type="search"
        name={name}
        defaultValue={value}
        autocomplete="off"
        spellcheck={false}
        onInput={({ currentTarget }) => {
          clearTimeout(timer.current)
          timer.current = setTimeout(
            () => narrow({ [name]: currentTarget.value.trim(), after: undefined }),
            PAUSE_MS,
          )
        }}
      />
    </label>
  )
}

export function Choice(props: {
  readonly name: string
  readonly label: string
  /** What is sent, and what is read. */
  readonly options: readonly (readonly [value: string, label: string])[]
  /** What nothing chosen is called. */
  readonly any?: string
}) {
  const { name, label, options, any = 'Any' } = props
  return (
    <label class="field">
      <span>{label}</span>
      <select
        class="input"
        name={name}
        value={route.value.query[name] ?? ''}
        onChange={({ currentTarget }) => narrow({ [name]: currentTarget.value, after: undefined })}
      >
        <option value="">{any}</option>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

/** Returns the query of the address for an endpoint: those of its names that are there. */
export function queryFor(names: readonly string[], fixed: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(fixed)
  for (const name of names) {
    const value = route.value.query[name]
    if (value !== undefined && value !== '') search.set(name, value)
  }
  return search.size === 0 ? '' : `?${search}`
}
