/** Holds what moves, so that it can be read. */
import { useSignal } from '@preact/signals'

export interface Held<T> {
  /** What is shown: what was there when it was held, or what is there now. */
  readonly value: T
  readonly isHeld: boolean
  readonly toggle: () => void
}

export function useHold<T>(now: T): Held<T> {
  const held = useSignal<{ readonly value: T } | null>(null)
  return {
    value: held.value === null ? now : held.value.value,
    isHeld: held.value !== null,
    toggle() {
      held.value = held.peek() === null ? { value: now } : null
    },
  }
}

export const Hold = ({ of: { isHeld, toggle } }: { of: Held<unknown> }) => (
  <button type="button" class="button" data-size="small" aria-pressed={isHeld} onClick={toggle}>
    {isHeld ? 'Go on' : 'Hold'}
  </button>
)
