/** Text that one takes elsewhere: a key, a configuration. It can be copied, and saved as a file. */
import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'

/** How long a button says that it was done, ms. */
const SAID_MS = 2000

export function Takeaway({ text, file }: { readonly text: string; readonly file?: string }) {
  const place = useRef<HTMLPreElement>(null)
  const isCopied = useSignal(false)
  const copy = async () => {
    if (place.current === null || !(await copied(text, place.current))) return
    isCopied.value = true
    setTimeout(() => {
      isCopied.value = false
    }, SAID_MS)
  }
  return (
    <div class="takeaway">
      <pre ref={place} class="takeaway-text">
        {text}
      </pre>
      <div class="filters">
        <button type="button" class="button" onClick={() => void copy()}>
          {isCopied.value ? 'Copied' : 'Copy'}
        </button>
        {file !== undefined && (
          <button type="button" class="button" onClick={() => save(text, file)}>
            Save as {file}
          </button>
        )}
      </div>
    </div>
  )
}

/** Without TLS browsers give no clipboard: the text is marked then, for the keyboard. */
async function copied(text: string, place: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    getSelection()?.selectAllChildren(place)
    return false
  }
}

function save(text: string, file: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = address
  link.download = file
  link.click()
  URL.revokeObjectURL(address)
}
