/** A secret that was just made: shown on its view until one leaves it, and never again. */
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Panel } from './parts.js'

const made = signal<{ readonly title: string; readonly secret: string } | null>(null)

/** Shows a secret on the view that has a `<Secret />`. */
export function reveal(title: string, secret: string): void {
  made.value = { title, secret }
}

export function Secret() {
  useEffect(() => () => void (made.value = null), [])
  if (made.value === null) return null
  return (
    <Panel title={made.value.title} about="it is shown here and never again">
      <code class="secret">{made.value.secret}</code>
    </Panel>
  )
}
