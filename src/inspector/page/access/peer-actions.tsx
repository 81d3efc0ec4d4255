/** What can be done to devices: each asks once, says what will happen, and a new one shows what it needs. */
import { ask } from '../live/hooks.js'
import { Pick } from '../ui/actions.js'
import type { Question } from '../ui/dialog.js'
import { Field } from '../ui/field.js'
import { showConfig } from './config-sheet.js'
import { canMakeKeys, makeKeyPair } from './key-pair.js'
import type { Peer } from './kinds.js'

const at = ({ id }: Peer): string => `/vpn_peers/${id}`

/** `owner` null: one's own. */
export const addPeer = (owner: { readonly userId: number; readonly name: string } | null): Question => ({
  title: owner === null ? 'Add a device' : `Add a device for ${owner.name}`,
  verb: 'Add device',
  consequence: <p>What the device needs is shown next: save it before you close it.</p>,
  fields: (
    <>
      <Field label="Name of the device" name="name" required maxLength={64} placeholder="laptop" />
      <Pick name="key" label="Its key" options={keyChoices(owner === null)} />
      <Field
        label="Public key"
        name="public_key"
        placeholder="only if you have one"
        hint="44 characters, as wg pubkey prints it."
      />
    </>
  ),
  async act({ name = '', key = '', public_key = '' }) {
    const typed = public_key.trim()
    if (key === 'own' && typed === '') throw new Error('Public key: wanted, because the device has one')
    const pair = key === 'here' && typed === '' ? await makeKeyPair() : null
    const publicKey = pair?.publicKey ?? (typed === '' ? null : typed)
    const made = await ask<Peer & { readonly wg_private_key: string | null }>(
      'POST',
      owner === null ? '/vpn_peers/self' : '/vpn_peers/',
      {
        name: name.trim(),
        ...(owner !== null && { user_id: owner.userId }),
        ...(publicKey !== null && { public_key: publicKey }),
      },
    )
    showConfig(made, pair?.privateKey ?? made.wg_private_key)
    return `${made.name} is added.`
  },
})

const keyChoices = (isOwn: boolean) =>
  canMakeKeys()
    ? [
        [
          'here',
          isOwn
            ? 'Made in this browser: nobody else ever knows it'
            : 'Made in this browser: you hand it over, and the coordinator never knows it',
        ] as const,
        ...ELSEWHERE,
      ]
    : ELSEWHERE

const ELSEWHERE = [
  ['coordinator', 'Made by the coordinator'],
  ['own', 'Made on the device: I have its public key'],
] as const

export const switchPeer = (peer: Peer): Question => ({
  title: `Switch ${peer.name} ${peer.active ? 'off' : 'on'}`,
  verb: peer.active ? 'Switch off' : 'Switch on',
  consequence: peer.active ? (
    <p>
      {peer.connected ? 'Its session ends within a second, and it' : 'It'} cannot connect until it is switched
      on.
    </p>
  ) : (
    <p>It can connect again, as far as the tariff lets it.</p>
  ),
  async act() {
    await ask('POST', `${at(peer)}/${peer.active ? 'deactivate' : 'activate'}`)
    return `${peer.name} is switched ${peer.active ? 'off' : 'on'}.`
  },
})

export const renamePeer = (peer: Peer): Question => ({
  title: `Rename ${peer.name}`,
  verb: 'Rename',
  consequence: <p>Only its name for people: in the mesh it stays {peer.identity}.</p>,
  fields: <Field label="Name" name="name" value={peer.name} required maxLength={64} />,
  async act({ name = '' }) {
    const { name: called } = await ask<Peer>('PUT', at(peer), { name: name.trim() })
    return `It is called ${called} now.`
  },
})

export const removePeer = (peer: Peer): Question => ({
  title: `Remove ${peer.name}`,
  verb: 'Remove',
  isDangerous: true,
  consequence: (
    <p>
      {peer.connected && 'Its session ends within a second. '}Its key and its addresses are given to nobody
      again: the device is added anew if it is to come back.
    </p>
  ),
  async act() {
    await ask('DELETE', at(peer))
    return `${peer.name} is removed.`
  },
})
