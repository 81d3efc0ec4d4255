/** Composes this part: who looks at servers, what was seen, and who is told. */
import type { Ground, Part } from '../part.js'
import type { Databases, Disks, Looks, Server, Servers } from '../ports.js'
import { Fleet } from './fleet.js'
import type { ServerStats } from './forms.js'
import { ServerLooks } from './looks.js'
import { LookCounts, serverFigures } from './metrics.js'
import { figureEndpoints } from './figure-endpoints.js'

export interface FiguresNeeds {
  readonly servers: Servers
  readonly databases: Databases
  readonly disks: Disks
}

export interface Figures extends Part {
  readonly looks: Looks
}

export function startFigures({ host, room }: Ground, { servers, databases, disks }: FiguresNeeds): Figures {
  const { clock, random, log } = host
  const kindOf = ({ isOwn }: Server): ServerStats['kind'] => (isOwn ? room.kind : 'postgres')
  const failed = ({ name }: Server, error: unknown) =>
    log.error({ err: error, server: name }, 'a look at a monitored server failed by our own fault')
  const seen = new ServerLooks({ clock, databases, disks, kindOf, failed })
  const fleet = new Fleet({ clock, random, servers, looks: seen })
  const counts = new LookCounts()
  seen.onLook((_, now) => counts.looked(now))
  const looks: Looks = {
    stats: server => seen.stats(server),
    last: serverId => seen.last(serverId),
    onLook: hear => seen.onLook(hear),
    refresh: () => fleet.refresh(),
  }
  return {
    looks,
    routes: figureEndpoints({ clock, servers, databases, looks }),
    figures: [...counts.figures(), ...serverFigures(servers, looks)],
    stop: async () => fleet.stop(),
  }
}
