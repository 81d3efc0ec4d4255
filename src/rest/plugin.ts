/**
 * The REST face of the mesh: what the first systems promised their nodes, clients and dashboards. Each folder of this
 * room is a part with tables, endpoints and figures of its own.
 */
import type { Plugin } from '../app/plugin.js'
import { openAgents } from './agents/open-agents.js'
import type { RestDatabase } from './database.js'
import { heartbeatEndpoints } from './heartbeats/endpoints.js'
import { openHeartbeats } from './heartbeats/heartbeats.js'
import { historyEndpoints } from './history/endpoints.js'
import { historyFigures } from './history/history-figures.js'
import { openHistory } from './history/history.js'
import { actionsOf } from './jobs/actions.js'
import { jobEndpoints } from './jobs/endpoints.js'
import { openHand } from './jobs/hand.js'
import { jobFigures } from './jobs/job-figures.js'
import { openJobs } from './jobs/jobs.js'
import { taskEndpoints } from './jobs/tasks.js'
import { MIGRATIONS } from './migrations/index.js'
import { statsPage } from './stats-page/endpoints.js'

export const rest: Plugin = {
  name: 'rest',
  migrations: MIGRATIONS,
  async start(mesh, host) {
    const room = await host.room<RestDatabase>()
    const history = openHistory(mesh, host, room)
    const jobs = await openJobs(host, room)
    const hand = openHand({ ...host, jobs, mesh })
    const agents = await openAgents(mesh, host, room, actionsOf(jobs))
    const heartbeats = openHeartbeats(host, room, agents.told)
    return {
      routes: [
        ...historyEndpoints({ history, mesh, clock: host.clock }),
        ...heartbeatEndpoints(heartbeats, host.clock),
        ...jobEndpoints({ jobs, hand, mesh, servers: heartbeats.table }),
        ...taskEndpoints(jobs),
        ...statsPage,
        ...agents.endpoints,
      ],
      rows: agents.rows,
      figures: [...historyFigures(history), ...agents.figures, ...jobFigures(hand)],
      async stop() {
        await hand.stop()
        await jobs.stop()
        await heartbeats.stop()
        await agents.stop()
        await history.stop()
      },
    }
  },
}
