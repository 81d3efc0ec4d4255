/** What one looks for most, one click away: sessions that are not well, and paths by why they are not direct. */
import type { ComponentChildren } from 'preact'
import type { Status } from '../../../../app/api/status.js'
import { useView } from '../../live/hooks.js'
import { narrow, route } from '../../route.js'
import { count } from '../../ui/format.js'
import { reasonWords, tierLabel } from '../../ui/words.js'

const STATES = [
  ['Lapsed', 'lapsed'],
  ['Suspended', 'suspended'],
  ['Full', 'duty: full'],
  ['Leaving', 'duty: leaving'],
] as const

/** How often the reasons are looked at, ms. */
const EVERY_MS = 3000

export function QuickFilters() {
  const { state, kind, reason } = route.value.query
  const { value: status } = useView<Pick<Status, 'reasons'>>('/api/v1/status', EVERY_MS)
  // By name and not by how many, so that none moves while one reaches for it.
  const reasons = (status?.reasons ?? []).toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  const isOther = reason !== undefined && !reasons.some(each => each.reason === reason)
  return (
    <div class="quick" role="group" aria-label="Quick filters">
      {STATES.map(([label, part]) => (
        <Quick key={part} isOn={state === part} on={{ state: part }} off={{ state: undefined }}>
          {label}
        </Quick>
      ))}
      {reasons.map(({ tier, reason: code, count: number }) => (
        <Quick
          key={`${tier} ${code}`}
          isOn={reason === code && kind === 'path' && (state === undefined || state === `tier: ${tier}`)}
          on={{ kind: 'path', reason: code, state: `tier: ${tier}` }}
          off={{ kind: undefined, reason: undefined, state: undefined }}
        >
          {tierLabel(tier)}: {reasonWords(code)} <span class="quiet">{count(number)}</span>
        </Quick>
      ))}
      {isOther && (
        <Quick isOn on={{}} off={{ reason: undefined }}>
          {reasonWords(reason)}
        </Quick>
      )}
    </div>
  )
}

const nameOf = ({ tier, reason }: Status['reasons'][number]): string => `${tier} ${reason}`

type Query = Readonly<Record<string, string | undefined>>

const Quick = (props: { isOn: boolean; on: Query; off: Query; children: ComponentChildren }) => (
  <button
    type="button"
    class="button"
    data-size="small"
    aria-pressed={props.isOn}
    onClick={() => narrow({ ...(props.isOn ? props.off : props.on), after: undefined })}
  >
    {props.children}
  </button>
)
