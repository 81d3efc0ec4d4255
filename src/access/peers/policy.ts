/** What the settings say of new peers; each of the two follows from the other where it is not set. */
import type { Config } from '../../app/config.js'
import type { PeerProvisioner } from '../ports.js'
import type { KeyPolicy } from './key-maker.js'

type Settings = Pick<Config, 'wgProvisioner' | 'wgKeyPolicy'>

/** Returns where new peers go. */
export const provisionerOf = ({ wgProvisioner, wgKeyPolicy }: Settings): PeerProvisioner['name'] =>
  wgProvisioner ?? (wgKeyPolicy === 'wg-easy' ? 'wg-easy' : 'mesh')

/** Returns who makes keys that clients do not send. */
export const keyPolicyOf = (settings: Settings): KeyPolicy =>
  settings.wgKeyPolicy ?? (provisionerOf(settings) === 'wg-easy' ? 'wg-easy' : 'host')
