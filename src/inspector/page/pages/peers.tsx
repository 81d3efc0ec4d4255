/** Devices of accounts: where each is set up, whether it works, and why not. */
import type { Peer } from '../access/kinds.js'
import { ADDRESS, LINKED_NAME, OWNER, PLACE, STATE } from '../access/peer-table.js'
import { PEER_WORDS } from '../access/words.js'
import { to } from '../route.js'
import { Choice, TextFilter } from '../ui/filters.js'
import { List } from '../ui/list.js'
import { Empty, Heading } from '../ui/parts.js'

const COLUMNS = [LINKED_NAME, OWNER, STATE, PLACE, ADDRESS]

/** Devices are read from the database, ms. */
const EVERY_MS = 2000

export const Peers = () => (
  <>
    <Heading title="Devices" about="WireGuard peers of accounts" />
    <List
      path="/vpn_peers/"
      rows="peers"
      filters={['q', 'status', 'provisioner']}
      columns={COLUMNS}
      keyOf={(peer: Peer) => String(peer.id)}
      addressOf={({ id }) => to(['peers', String(id)])}
      noun="device"
      everyMs={EVERY_MS}
      empty={
        <Empty title="There is no such device">
          Open an account to add one; or its owner signs in here and adds it.
        </Empty>
      }
    >
      <TextFilter name="q" label="Device, account, name in the mesh, or key" wide />
      <Choice
        name="status"
        label="State"
        options={(['active', 'inactive', 'pending', 'refused', 'needs_key', 'removed'] as const).map(
          status => [status, PEER_WORDS[status].word] as const,
        )}
      />
      <Choice
        name="provisioner"
        label="Where"
        options={[
          ['mesh', 'Our mesh'],
          ['wg-easy', 'wg-easy'],
          ['ssh', 'A host by SSH'],
        ]}
      />
    </List>
  </>
)
