/** What somebody has for themselves: tariff and devices. It shows nothing of anybody else. */
import type { Entitlement, PageOf, Peer } from '../../access/kinds.js'
import { Standing } from '../../access/marks.js'
import { addPeer } from '../../access/peer-actions.js'
import { ACTIONS, ADDRESS, NAME, STATE } from '../../access/peer-table.js'
import { useView } from '../../live/hooks.js'
import { who } from '../../live/who.js'
import { to } from '../../route.js'
import { Act } from '../../ui/actions.js'
import { count, plural } from '../../ui/format.js'
import { Fault, Heading, Panel } from '../../ui/parts.js'
import { Table } from '../../ui/table.js'

/** More than anybody has. */
const MOST = 100

export function Mine() {
  const { value: entitlement, fault } = useView<Entitlement>('/entitlements/mine')
  return (
    <>
      <Heading title="Your VPN" {...(who.value !== null && { about: who.value.name })} />
      {fault !== null && <Fault>{fault}</Fault>}
      <Panel title="Your tariff">
        {entitlement === null ? (
          <div class="skeleton" />
        ) : (
          <Standing
            of={entitlement}
            end={
              <a class="button" href={to(['tariffs'])}>
                {entitlement.tariff === null ? 'Choose a tariff' : 'Renew, or change'}
              </a>
            }
          />
        )}
      </Panel>
      <Devices of={entitlement} />
    </>
  )
}

function Devices({ of }: { readonly of: Entitlement | null }) {
  const { value } = useView<PageOf<'peers', Peer>>(`/vpn_peers/self?limit=${MOST}`)
  const mayAdd = of !== null && of.device_limit > 0
  return (
    <Panel
      title="Your devices"
      {...(mayAdd &&
        value !== null && { about: `${count(value.total)} of ${plural(of.device_limit, 'device')}` })}
      {...(mayAdd && { end: <Act question={addPeer(null)} /> })}
      flush={value !== null && value.total > 0}
    >
      {value === null ? (
        <div class="skeleton" />
      ) : value.total === 0 ? (
        <p class="quiet">
          {mayAdd
            ? 'None yet. Add your laptop or phone: what it needs is shown here, as a file and as a QR code.'
            : 'They come after a tariff.'}
        </p>
      ) : (
        <Table
          caption="devices"
          columns={[NAME, STATE, ADDRESS, ACTIONS]}
          rows={value.peers}
          keyOf={({ id }) => String(id)}
        />
      )}
    </Panel>
  )
}
