/** Where WireGuard may run for peers: our own mesh, and what else the settings name. */
import type { Ground } from './part.js'
import { meshProvisioner } from './peers/mesh-provisioner.js'
import type { PeerProvisioner } from './ports.js'
import { openWgEasy } from './wg-easy/open.js'

/** Resolves with those that are configured: peers stay where they were made, also when new ones go elsewhere. */
export async function provisionersOf(ground: Ground): Promise<readonly PeerProvisioner[]> {
  const { mesh, host } = ground
  // Only who has a host to reach by SSH pays for what speaks it.
  const ssh = host.config.wgHostSsh === null ? null : (await import('./ssh/open.js')).openSsh(ground)
  return [meshProvisioner(mesh), openWgEasy(ground), ssh].filter(provisioner => provisioner !== null)
}
