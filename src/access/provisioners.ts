/** Where WireGuard may run for peers: our own mesh, and what else the settings name. */
import type { Ground } from './part.js'
import { meshProvisioner } from './peers/mesh-provisioner.js'
import { provisionerOf } from './peers/policy.js'
import type { PeerProvisioner } from './ports.js'
import { openWgEasy } from './wg-easy/open.js'

/** Returns those that are configured: peers stay where they were made, also when new ones go elsewhere. */
export function provisionersOf(ground: Ground): readonly PeerProvisioner[] {
  const { mesh, host } = ground
  const isWanted = (name: PeerProvisioner['name']) => provisionerOf(host.config) === name
  return [
    meshProvisioner(mesh),
    ...(isWanted('wg-easy') || host.config.wgEasyUrl !== null ? [openWgEasy(ground)] : []),
  ]
}
