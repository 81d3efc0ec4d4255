/** The machines that the servers run on. */
import type { Destinations } from '../../http/destination.js'
import type { Ground, Part } from '../part.js'
import type { Disks, Keys, Servers } from '../ports.js'
import { diskEndpoints } from './disk-endpoints.js'
import { Machines } from './machines.js'
import { ServerDisks } from './server-disks.js'
import { SshTrials } from './ssh-trial.js'

export interface DisksNeeds {
  readonly servers: Servers
  readonly keys: Keys
  readonly destinations: Destinations
}

/** Returns the part, and what tells file systems to the others. */
export function startDisks(
  { host }: Ground,
  { servers, keys, destinations }: DisksNeeds,
): Part & { readonly disks: Disks } {
  const machines = new Machines({ host, servers, keys, destinations })
  const disks = new ServerDisks({ clock: host.clock, open: (server, ssh) => machines.open(server, ssh) })
  const trials = new SshTrials({ host, servers, machines })
  const end = servers.onChange(serverId => {
    disks.forget(serverId)
    if (servers.byId(serverId) === null) machines.forget(serverId)
  })
  return {
    disks,
    routes: diskEndpoints({ servers, disks, trials }),
    async stop() {
      end()
    },
  }
}
