/** How many accounts have what, in a line for the overview; nothing where nobody has a tariff. */
import { useView } from '../live/hooks.js'
import { may } from '../live/who.js'
import { to } from '../route.js'
import { count } from '../ui/format.js'
import { Stat } from '../ui/parts.js'
import type { EntitlementState } from './kinds.js'

interface Counts {
  readonly states: Readonly<Record<EntitlementState, number>>
  readonly ending: number
}

/** They change by the hour, and are read from the database, ms. */
const EVERY_MS = 15_000

export function Standings() {
  const { value } = useView<Counts>('/entitlements/', EVERY_MS)
  if (value === null) return null
  const { states, ending } = value
  const { active, grace, throttled, used_up: usedUp, ended } = states
  if (active + grace + throttled + usedUp + ended === 0) return null
  return (
    <dl class="stats">
      <Stat label="Subscriptions" about="active">
        <Figure of={active} query={{ status: 'active' }} />
      </Stat>
      <Stat label="Ending" about="within 7 days">
        <Figure of={ending} query={{ ending_days: '7' }} />
      </Stat>
      <Stat label="In grace" about="ended, and still let">
        <Figure of={grace} query={{ status: 'grace' }} />
      </Stat>
      <Stat label="Throttled" about="traffic used up, slow">
        <Figure of={throttled} query={{ status: 'throttled' }} />
      </Stat>
      <Stat label="Used up" about="nothing connects">
        <Figure of={usedUp} query={{ status: 'used_up' }} />
      </Stat>
      <Stat label="Ended" about="not renewed">
        <Figure of={ended} query={{ status: 'ended' }} />
      </Stat>
    </dl>
  )
}

const Figure = (props: { readonly of: number; readonly query: Readonly<Record<string, string>> }) =>
  may('operator') ? (
    <a href={to(['subscriptions'], { ...props.query, current: 'true' })}>{count(props.of)}</a>
  ) : (
    <>{count(props.of)}</>
  )
