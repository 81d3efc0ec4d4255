/** Where WireGuard runs beside our own mesh, as far as the settings say so. */
import type { Ground } from '../part.js'
import type { PeerProvisioner } from '../ports.js'
import { openSsh } from '../ssh/open.js'
import { openWgEasy } from '../wg-easy/open.js'

/** Returns those that are configured, whichever of them new peers go to: a peer stays where it was made. */
export const provisionersElsewhere = (ground: Ground): readonly PeerProvisioner[] =>
  [openWgEasy(ground), openSsh(ground)].filter(provisioner => provisioner !== null)
