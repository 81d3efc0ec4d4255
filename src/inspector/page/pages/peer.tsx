/** One device: whose it is, whether it may connect now, why not, and what it needs. */
import type { z } from 'zod'
import type { AllowedOut } from '../../../access/peers/forms.js'
import type { Peer } from '../access/kinds.js'
import { AccountLink, PeerTag, StateTag } from '../access/marks.js'
import { renamePeer } from '../access/peer-actions.js'
import { PeerActions } from '../access/peer-table.js'
import { dateAndTime, hindrance, PROVISIONER_WORDS } from '../access/words.js'
import { useView } from '../live/hooks.js'
import { to } from '../route.js'
import { Act } from '../ui/actions.js'
import { ActorLink, Empty, Facts, Fault, Heading, Panel } from '../ui/parts.js'

type Allowed = z.output<typeof AllowedOut>

/** How often it is looked at, ms. */
const EVERY_MS = 2000

export function OnePeer({ id }: { readonly id: string }) {
  const path = `/vpn_peers/${encodeURIComponent(id)}`
  const { value: peer, fault, status } = useView<Peer>(path, EVERY_MS)
  const { value: allowed } = useView<Allowed>(`${path}/allowed`, EVERY_MS)
  if (status === 404)
    return (
      <Empty title={`There is no device ${id}`}>
        <a href={to(['peers'])}>All devices</a>
      </Empty>
    )
  const why = peer === null ? null : hindrance(peer)
  return (
    <>
      <Heading
        title={peer?.name ?? <span class="skeleton" />}
        {...(peer !== null && { about: <PeerTag of={peer} /> })}
      >
        {peer !== null && peer.status !== 'removed' && <Act question={renamePeer(peer)} />}
        {peer !== null && <PeerActions peer={peer} />}
      </Heading>
      {fault !== null && <Fault>{fault}</Fault>}
      {why !== null && <p class="notice">{why}</p>}
      {peer !== null && (
        <div class="columns">
          <Panel title="Device">
            <Facts
              of={[
                ['Account', <AccountLink name={peer.email} />],
                ['May connect', allowed === null ? null : allowed.allowed ? 'yes' : 'no'],
                ['Its account', allowed === null ? null : <StateTag of={allowed.state} />],
                [
                  'In the mesh',
                  peer.connected ? (
                    <ActorLink id={`client/${peer.identity}`} />
                  ) : peer.provisioner === 'mesh' ? (
                    'not connected'
                  ) : null,
                ],
                ['Made', dateAndTime(peer.created_at)],
              ]}
            />
          </Panel>
          <Panel title="WireGuard">
            <Facts
              of={[
                ['Where', PROVISIONER_WORDS[peer.provisioner]],
                ['Name there', <span class="mono">{peer.identity}</span>],
                ['Public key', peer.wg_public_key && <span class="mono">{peer.wg_public_key}</span>],
                ['Address', peer.wg_ip && <span class="mono">{peer.wg_ip}</span>],
                ['IPv6 address', peer.wg_ip6 && <span class="mono">{peer.wg_ip6}</span>],
              ]}
            />
          </Panel>
        </div>
      )}
    </>
  )
}
