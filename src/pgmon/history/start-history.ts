/** What servers told before: collected, kept for a while, told again. */
import { every } from '../../kit/clock.js'
import type { Ground, Part } from '../part.js'
import type { Servers } from '../ports.js'
import { collectorEndpoints } from './collector-endpoints.js'
import { Collectors } from './collectors.js'
import { EventLog } from './event-log.js'
import { historyEndpoints } from './history-endpoints.js'
import { logEndpoints } from './log-endpoints.js'
import { monthsBefore } from './months.js'
import { Partitions } from './partitions.js'
import { RoundCounts } from './round-counts.js'
import { settingsEndpoints } from './settings-endpoints.js'
import { Settings } from './settings.js'
import type { VisitParts } from './visit.js'
import { Watch } from './watch.js'
import { DAY_MS } from './width.js'

export interface HistoryNeeds extends VisitParts {
  readonly servers: Servers
}

/** How often partitions are made and what is too old goes, ms: the next month’s are there weeks before. */
const UPKEEP_MS = 3_600_000

export async function startHistory(
  { host, room }: Ground,
  { servers, ...visits }: HistoryNeeds,
): Promise<Part> {
  const { looks } = visits
  const { clock, log } = host
  const audit: typeof host.audit = event => host.audit(event)
  const settings = await Settings.open({ clock, log, room })
  const partitions = new Partitions(room)
  await partitions.make(clock.wallMs())
  const events = new EventLog(room)
  const watch = new Watch({ clock, log, events })
  const counts = new RoundCounts()
  const collectors = new Collectors({
    clock,
    log,
    room,
    servers,
    settings,
    partitions,
    counts,
    visits,
    visited: (server, visit) => watch.visited(server, visit),
  })
  const upkeep = async () => {
    const nowMs = clock.wallMs()
    const { history_months, logs_days } = settings.current
    await partitions.make(nowMs)
    await partitions.drop(monthsBefore(history_months, nowMs))
    await events.prune(nowMs - logs_days * DAY_MS)
  }
  const stops = [
    looks.onLook((server, now) => watch.looked(server, now)),
    servers.onChange(serverId => {
      if (servers.byId(serverId) === null) watch.forget(serverId)
    }),
    every(clock, UPKEEP_MS, () => {
      upkeep().catch((error: unknown) =>
        log.debug({ err: error }, 'old samples of databases wait to be dropped'),
      )
    }),
  ]
  return {
    routes: [
      ...historyEndpoints({ clock, room, servers, looks }),
      ...collectorEndpoints({ servers, settings, collectors, audit }),
      ...settingsEndpoints({ settings, audit }),
      ...logEndpoints({ clock, servers, events, settings }),
    ],
    figures: [
      ...counts.figures,
      {
        name: 'boson_pgmon_servers_visited',
        help: 'Monitored servers that a collector is visiting just now.',
        type: 'gauge',
        read: () => collectors.visiting,
      },
      {
        name: 'boson_pgmon_events_waiting',
        help: 'Events of monitored servers that wait for the database.',
        type: 'gauge',
        read: () => watch.waiting,
      },
    ],
    async stop() {
      for (const stop of stops) stop()
      settings.stop()
      collectors.stop()
    },
  }
}
