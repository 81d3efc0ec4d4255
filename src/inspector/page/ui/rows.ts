/**
 * Rows by keyboard: `j` and `k`, or the arrows once one of them has the focus, go from row to row; Enter opens. A row is
 * an element with `data-row`, its address, or nothing where there is nowhere to go.
 */
import type { RefObject } from 'preact'
import { useEffect } from 'preact/hooks'
import { go } from '../route.js'
import { isTyping } from './form.js'

/** Lets the rows within a place be walked while it is there. */
export function useRows(place: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (place.current !== null && walk(place.current, event)) event.preventDefault()
    }
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }, [])
}

/** Opens the row that was clicked, unless the click was for something in it. */
export function openRow({ target, currentTarget }: MouseEvent): void {
  const isOther = target instanceof Element && target.closest('a, button, label, summary') !== null
  const isSelecting = getSelection()?.isCollapsed === false
  const address = currentTarget instanceof HTMLElement ? currentTarget.dataset['row'] : undefined
  if (!isOther && !isSelecting && address) go(address)
}

const STEPS: Readonly<Record<string, number>> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }

function walk(place: HTMLElement, { key, target, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  if (ctrlKey || metaKey || altKey || isTyping(target) || document.querySelector('dialog[open]') !== null)
    return false
  const rows = [...place.querySelectorAll<HTMLElement>('[data-row]')]
  const at = rows.findIndex(row => row.contains(document.activeElement))
  if (key === 'Enter') {
    const address = rows[at]?.dataset['row']
    // A link in the row opens what it leads to.
    if (rows[at] !== document.activeElement || !address) return false
    go(address)
    return true
  }
  const step = STEPS[key]
  // Without a row the arrows scroll.
  if (step === undefined || (at < 0 && key.startsWith('Arrow'))) return false
  const row = rows[at < 0 ? 0 : at + step]
  row?.focus()
  row?.scrollIntoView({ block: 'nearest' })
  return row !== undefined
}
