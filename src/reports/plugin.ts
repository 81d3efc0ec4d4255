/** Reports: what agents tell of their own clients, traffic and troubles, and what went over the mesh, counted exactly once. */
import type { Plugin } from '../app/plugin.js'
import { every } from '../kit/clock.js'
import { OPERATOR } from './batch.js'
import { Bounds } from './bounds.js'
import { clientEndpoints } from './clients.js'
import { Intake } from './intake.js'
import { logEndpoints } from './logs.js'
import { MIGRATIONS } from './migrations.js'
import { prune, type Retention } from './prune.js'
import { sessionDoor } from './session-door.js'
import { statisticEndpoints } from './statistics.js'
import { streamEndpoint } from './streams.js'
import type { ReportTables } from './tables.js'
import { trafficEndpoint } from './traffic/page.js'
import { Sampler } from './traffic/sampler.js'
import { writeBatches } from './write.js'

const DAY_MS = 86_400_000
/** How often old rows are cleared out, ms. */
const PRUNE_EVERY_MS = 60_000
/** The finest sums answer "the last hour", and late reports are at most a day late, ms. */
const FINEST_KEPT_MS = 2 * DAY_MS
/** The mesh clears out its paths now and then, ms. */
const PATHS_LONGER_MS = DAY_MS

export const reports: Plugin = {
  name: 'reports',
  migrations: MIGRATIONS,
  async start(mesh, { config, clock, random, log, room: open }) {
    const room = await open<ReportTables>()
    const bounds = new Bounds(room, config.reportRowsPerAgent)
    const intake = new Intake({
      async write(batches) {
        const verdicts = await room.transact(tx => writeBatches(tx, batches, clock.wallMs()))
        for (const batch of batches) bounds.stored(batch)
        return verdicts
      },
      clock,
      random,
      log,
      recordsPerMinute: config.reportRecordsPerMinute,
      unrationed: OPERATOR,
    })
    const retention: Retention = {
      clientsMs: config.reportClientsKeptDays * DAY_MS,
      logsMs: config.reportLogsKeptDays * DAY_MS,
      sumsMs: {
        '5min': FINEST_KEPT_MS,
        hour: config.reportHoursKeptDays * DAY_MS,
        day: config.reportDaysKeptDays * DAY_MS,
      },
      pathsMs: config.pathsKeptDays * DAY_MS + PATHS_LONGER_MS,
    }
    const everyMs = config.trafficEveryMs
    const sampler = await Sampler.start({ mesh, room, clock, log, everyMs })
    // For good: while the mesh stops, agents hear `later` from us, where nobody would refuse what they have.
    mesh.takeReports(sessionDoor(intake, clock))
    const endPruning = every(clock, PRUNE_EVERY_MS, () => {
      prune(room, retention, clock.wallMs())
        .then(() => bounds.hold())
        .catch((error: unknown) => log.debug({ err: error }, 'old reports wait to be cleared out'))
    })
    const parts = { mesh, clock, intake, room, startedAtMs: clock.wallMs() }
    return {
      routes: [
        ...clientEndpoints(parts),
        ...statisticEndpoints(parts),
        ...logEndpoints(parts),
        streamEndpoint(parts),
        trafficEndpoint(parts),
      ],
      figures: [
        {
          name: 'boson_reports_total',
          help: 'Batches of reports, by what became of them.',
          type: 'counter',
          read: () =>
            (['counted', 'repeated', 'later', 'refused'] as const).map(outcome => ({
              labels: { outcome },
              value: intake.counts[outcome],
            })),
        },
        {
          name: 'boson_report_records_total',
          help: 'Records of reports that were stored.',
          type: 'counter',
          read: () => intake.counts.records,
        },
      ],
      async stop() {
        endPruning()
        await Promise.all([intake.stop(), sampler.stop()])
      },
    }
  },
}
