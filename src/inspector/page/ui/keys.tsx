/** The keyboard: `/` searches, `g` and a letter goes to a view, `?` shows what there is. */
import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { go, to } from '../route.js'
import { may, who } from '../live/who.js'
import { viewsFor } from '../views.js'
import { isTyping } from './form.js'

const views = () => (who.value === null ? [] : viewsFor(who.value.role))

const helpOpen = signal(false)
/** A letter after `g` counts for this long, ms. */
const CHORD_MS = 1500

let chordUntilMs = 0

/** Calls of the shortcuts, from the moment the page is there. */
export function useKeys(): void {
  useEffect(() => {
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }, [])
}

export const showHelp = (): void => {
  helpOpen.value = true
}

function pressed(event: KeyboardEvent): void {
  const { key, target } = event
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null)
    return
  if (isTyping(target)) {
    if (key === 'Escape') (target as HTMLElement).blur()
    return
  }
  if (performance.now() < chordUntilMs) {
    chordUntilMs = 0
    const view = views().find(each => each.key === key)
    if (view === undefined) return
    event.preventDefault()
    return go(to(view.path))
  }
  if (key === 'g') chordUntilMs = performance.now() + CHORD_MS
  else if (key === '?') showHelp()
  else if (key === '/') {
    event.preventDefault()
    document.querySelector<HTMLInputElement>('#search')?.focus()
  }
}

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null)
  const isOpen = helpOpen.value
  useEffect(() => {
    if (isOpen) dialog.current?.showModal()
  }, [isOpen])
  if (!isOpen) return null
  const close = () => {
    helpOpen.value = false
  }
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="help">
      <div class="dialog-body">
        <h1 id="help">Keyboard</h1>
        <dl class="facts">
          {may('viewer') && [
            <dt key="/">
              <kbd>/</kbd>
            </dt>,
            <dd key="/=">Search actors</dd>,
          ]}
          {views()
            .filter(view => view.key !== undefined)
            .map(view => [
              <dt key={view.key}>
                <kbd>g</kbd> <kbd>{view.key}</kbd>
              </dt>,
              <dd key={`${view.key}=`}>{view.title}</dd>,
            ])}
          <dt>
            <kbd>j</kbd> <kbd>k</kbd>
          </dt>
          <dd>Next and previous row; arrows do so too once a row has the focus</dd>
          <dt>
            <kbd>Enter</kbd>
          </dt>
          <dd>Open the row</dd>
          <dt>
            <kbd>Esc</kbd>
          </dt>
          <dd>Leave a field, close a dialog</dd>
          <dt>
            <kbd>?</kbd>
          </dt>
          <dd>This help</dd>
        </dl>
        <div class="dialog-end">
          <button type="button" class="button" data-kind="main" onClick={close}>
            Close
          </button>
        </div>
      </div>
    </dialog>
  )
}
