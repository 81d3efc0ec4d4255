/** Tries a server out while one looks: whether it answers, as whom it is asked, and what would be missing. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ask } from '../live/hooks.js'
import { ms } from '../ui/format.js'
import { Facts, Fault, Tag } from '../ui/parts.js'
import { show } from '../ui/sheet.js'
import type { ServerTest } from './kinds.js'
import { Mended } from './marks.js'

/** Opens it, and tries the server out. */
export const testServer = (name: string): void =>
  show({ title: `Test of ${name}`, body: <Test name={name} /> })

function Test({ name }: { readonly name: string }) {
  const { said, isBusy, again } = useTrial<ServerTest>(() =>
    ask('POST', `/pgmon/servers/${encodeURIComponent(name)}/test`),
  )
  const test = said.value
  return (
    <div class="trial" aria-busy={isBusy.value}>
      {test === null && <p class="quiet">Connecting …</p>}
      {typeof test === 'string' && <Fault>{test}</Fault>}
      {test !== null && typeof test !== 'string' && <Tested of={test} />}
      <div class="filters">
        <button type="button" class="button" disabled={isBusy.value} onClick={again}>
          Test again
        </button>
      </div>
    </div>
  )
}

const Tested = ({
  of: { ok, message, role, is_replica: isReplica, is_encrypted: isEncrypted, warnings, took_ms },
}: {
  readonly of: ServerTest
}) => (
  <>
    <p class="trial-head">
      <Tag tone={ok ? 'good' : 'bad'}>{ok ? 'it answers' : 'no answer'}</Tag> {message}
    </p>
    {role !== null && (
      <Facts
        of={[
          ['Asked as', role.name],
          ['Which is', isReplica === true ? 'a replica' : 'a primary'],
          ['Encrypted', isEncrypted === true ? 'yes' : 'no'],
          ['Took', ms(took_ms)],
        ]}
      />
    )}
    {warnings.map(warning => (
      <div key={warning} class="notice">
        <Mended>{warning}</Mended>
      </div>
    ))}
    {ok && warnings.length === 0 && <p class="quiet">Nothing is missing.</p>}
  </>
)

/** Asks at once, and again when told to; what came is an answer, or why there is none. */
export function useTrial<T extends object>(ask: () => Promise<T>) {
  const said = useSignal<T | string | null>(null)
  const isBusy = useSignal(true)
  const again = () => {
    isBusy.value = true
    ask().then(
      answer => {
        said.value = answer
        isBusy.value = false
      },
      (error: unknown) => {
        said.value = error instanceof Error ? error.message : String(error)
        isBusy.value = false
      },
    )
  }
  useEffect(again, [])
  return { said, isBusy, again }
}
