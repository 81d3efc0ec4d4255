/** Reaches the machine of a server by SSH while one looks. The key that it shows is pinned by whoever has compared it. */
import { useSignal } from '@preact/signals'
import { ask } from '../live/hooks.js'
import { Facts, Fault, Tag } from '../ui/parts.js'
import { show } from '../ui/sheet.js'
import type { ServerForm, SshTest } from './kinds.js'
import { useTrial } from './test-sheet.js'

/** Opens it, and reaches the machine. */
export const testSsh = ({ name, ssh_host_key: pinned }: ServerForm): void =>
  show({ title: `${name}, by SSH`, body: <Test name={name} isFirst={pinned === null} /> })

/** `isFirst`: no key is pinned yet; otherwise another one than that is a reason to be wary. */
function Test({ name, isFirst }: { readonly name: string; readonly isFirst: boolean }) {
  const pin = useSignal<string | null>(null)
  const { said, isBusy, again } = useTrial<SshTest>(() =>
    ask(
      'POST',
      `/pgmon/servers/${encodeURIComponent(name)}/test-ssh`,
      pin.peek() === null ? {} : { pin: pin.peek() ?? '' },
    ),
  )
  const test = said.value
  const key = test === null || typeof test === 'string' || test.is_pinned ? null : test.host_key
  return (
    <div class="trial" aria-busy={isBusy.value}>
      {test === null && <p class="quiet">Connecting …</p>}
      {typeof test === 'string' && <Fault>{test}</Fault>}
      {test !== null && typeof test !== 'string' && (
        <>
          <p class="trial-head">
            {key !== null && isFirst ? (
              <>
                <Tag tone="warn">not pinned</Tag> It shows a key by which nobody has known it so far.
              </>
            ) : (
              <>
                <Tag tone={test.ok ? 'good' : 'bad'}>{test.ok ? 'it answers' : 'no'}</Tag> {test.message}
              </>
            )}
          </p>
          {test.host_key !== null && (
            <Facts
              of={[
                ['Key it shows', <span class="mono">{test.host_key}</span>],
                ['Pinned', test.is_pinned ? 'yes, it is this one' : 'no: nothing is asked of it by SSH'],
              ]}
            />
          )}
        </>
      )}
      {key !== null && (
        <div class="notice">
          Run this on the machine itself. Pin the key only if one of its lines says the same:
          <pre class="takeaway-text">for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done</pre>
        </div>
      )}
      <div class="filters">
        <button type="button" class="button" disabled={isBusy.value} onClick={again}>
          Test again
        </button>
        {key !== null && (
          <button
            type="button"
            class="button"
            data-kind={isFirst ? 'main' : 'danger'}
            disabled={isBusy.value}
            onClick={() => {
              pin.value = key
              again()
              pin.value = null
            }}
          >
            Pin this key
          </button>
        )}
      </div>
    </div>
  )
}
