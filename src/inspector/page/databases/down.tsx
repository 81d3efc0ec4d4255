/** A line for the overview of the mesh: which databases are down; nothing while none is. */
import { useView } from '../live/hooks.js'
import { to } from '../route.js'
import { plural } from '../ui/format.js'
import { Fault } from '../ui/parts.js'
import type { ServerRow } from './kinds.js'

/** The coordinator looks at each every minute by itself, ms. */
const EVERY_MS = 15_000
/** Names that are listed; the others are counted. */
const MOST = 3

export function DatabasesDown() {
  const { value } = useView<{ readonly servers: readonly ServerRow[]; readonly total: number }>(
    `/pgmon/servers?status=down&limit=${MOST}`,
    EVERY_MS,
  )
  if (value === null || value.total === 0) return null
  const { servers, total } = value
  return (
    <Fault>
      {total === 1 ? 'A database is down: ' : `${plural(total, 'database')} are down: `}
      {servers.map(({ name }, i) => (
        <span key={name}>
          {i > 0 && ', '}
          <a href={to(['databases', name])}>{name}</a>
        </span>
      ))}
      {total > servers.length && (
        <>
          {' '}
          and <a href={to(['databases'], { status: 'down' })}>{plural(total - servers.length, 'other')}</a>
        </>
      )}
    </Fault>
  )
}
