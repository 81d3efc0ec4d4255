/** Something to read and take away, over the view: a configuration, a key. */
import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

interface Shown {
  readonly title: string
  readonly body: ComponentChildren
}

const shown = signal<Shown | null>(null)

/** Opens it. */
export function show(sheet: Shown): void {
  shown.value = sheet
}

/** Where it appears; once in the page. */
export function Sheet() {
  const sheet = shown.value
  return sheet === null ? null : <Open key={sheet.title} sheet={sheet} />
}

function Open({ sheet: { title, body } }: { readonly sheet: Shown }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  const close = () => {
    shown.value = null
  }
  return (
    <dialog ref={dialog} class="sheet" onClose={close} aria-labelledby="sheet">
      <div class="dialog-body">
        <h1 id="sheet">{title}</h1>
        {body}
        <div class="dialog-end">
          <button type="button" class="button" data-kind="main" onClick={close}>
            Close
          </button>
        </div>
      </div>
    </dialog>
  )
}
