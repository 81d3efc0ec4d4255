/**
 * Heartbeats of VPN servers: kept together with others that arrive at the same moment, and acknowledged when they are
 * durable. What they say is added to the history; as they were sent they are kept for a while.
 */
import type { IdentityId } from '../../actors/ports.js'
import type { PluginHost } from '../../app/plugin.js'
import { every } from '../../kit/clock.js'
import type { Room } from '../../store/index.js'
import type { Gauges } from '../agents/mailbox.js'
import type { RestDatabase } from '../database.js'
import { GroupCommit } from '../group-commit.js'
import { DAY_MS } from '../history/intervals.js'
import { gaugesOf, type Heartbeat } from './heartbeat.js'
import { HeartbeatTable, type Kept, type ReceivedBeat } from './heartbeat-table.js'

export interface Heartbeats {
  readonly table: HeartbeatTable
  /** Resolves with the heartbeat's id when it is durable. */
  readonly keep: (beat: Heartbeat, by: string) => Promise<number>
  /** Finishes what it has begun. */
  stop(): Promise<void>
}

/** Rows of one transaction. */
const BEATS_MAX = 200
/** What is over is cleared out this often, ms, so many rows at a time. */
const PRUNE = { everyMs: 60_000, rows: 2_000 }

/** `told` hears what the servers say, for the choice of routes. */
export function openHeartbeats(
  host: PluginHost,
  room: Room<RestDatabase>,
  told: (id: IdentityId, gauges: Gauges) => void,
): Heartbeats {
  const { clock, config, log } = host
  const table = new HeartbeatTable(room)
  const commit = new GroupCommit<ReceivedBeat, Kept>({
    clock,
    itemsMax: BEATS_MAX,
    write: beats => table.keep(beats),
  })
  const prune = async () => {
    while (await table.prune(clock.wallMs() - config.heartbeatsKeptDays * DAY_MS, PRUNE.rows));
  }
  let pruning: Promise<void> = Promise.resolve()
  const endPruning = every(clock, PRUNE.everyMs, () => {
    pruning = prune().catch(error => log.debug({ err: error }, 'heartbeats were not cleared out'))
  })
  return {
    table,
    async keep(beat, by) {
      const { id, isFirst } = await commit.put({ beat, atMs: clock.wallMs() })
      told(beat.server_id, gaugesOf(beat))
      if (isFirst) host.audit({ kind: 'server.registered', actor: by, subject: beat.server_id, detail: {} })
      return id
    },
    async stop() {
      endPruning()
      await Promise.all([commit.settled(), pruning])
    },
  }
}
