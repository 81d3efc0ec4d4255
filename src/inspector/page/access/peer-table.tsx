/** Devices as tables show them: what they are called, how they stand, and why they do not work. */
import { may } from '../live/who.js'
import { to } from '../route.js'
import { Act } from '../ui/actions.js'
import type { Column } from '../ui/table.js'
import { showConfig } from './config-sheet.js'
import type { Peer } from './kinds.js'
import { AccountLink, PeerTag } from './marks.js'
import { removePeer, switchPeer } from './peer-actions.js'
import { hindrance, PROVISIONER_WORDS } from './words.js'

export const NAME: Column<Peer> = {
  name: 'Device',
  kind: 'name',
  cell: ({ name, identity }) => (
    <>
      <strong>{name}</strong> <span class="mono quiet">{identity}</span>
    </>
  ),
}

export const LINKED_NAME: Column<Peer> = {
  ...NAME,
  cell: ({ id, name, identity }) => (
    <>
      <a href={to(['peers', String(id)])}>{name}</a> <span class="mono quiet">{identity}</span>
    </>
  ),
}

export const OWNER: Column<Peer> = {
  name: 'Account',
  kind: 'name',
  cell: ({ email }) => <AccountLink name={email} />,
}

export const STATE: Column<Peer> = {
  name: 'State',
  cell: peer => {
    const why = peer.status === 'inactive' ? null : hindrance(peer)
    return (
      <>
        <PeerTag of={peer} /> {why !== null && <span class="quiet">{why}</span>}
      </>
    )
  },
}

export const PLACE: Column<Peer> = {
  name: 'Where',
  kind: 'tight',
  cell: ({ provisioner, connected, identity }) =>
    connected && may('viewer') ? (
      <a href={to(['actors', `client/${identity}`])}>{PROVISIONER_WORDS[provisioner]}</a>
    ) : (
      PROVISIONER_WORDS[provisioner]
    ),
}

export const ADDRESS: Column<Peer> = {
  name: 'Address',
  kind: 'tight',
  cell: ({ wg_ip }) => <span class="mono">{wg_ip ?? ''}</span>,
}

export const ACTIONS: Column<Peer> = {
  name: '',
  cell: peer => <PeerActions peer={peer} />,
}

export function PeerActions({ peer }: { readonly peer: Peer }) {
  if (peer.status === 'removed' || peer.status === 'removing') return null
  return (
    <span class="filters">
      {peer.status !== 'needs_key' && (
        <button type="button" class="button" onClick={() => showConfig(peer)}>
          Configuration
        </button>
      )}
      <Act question={switchPeer(peer)} />
      <Act question={removePeer(peer)} />
    </span>
  )
}
