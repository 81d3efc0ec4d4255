/**
 * The history of every node: what sessions tell, sampled at an interval, and what agents post, kept as it is for a
 * while and added up by minute, hour and day for longer.
 *
 *   sessions ─→ sampler ─→ backlog ──────┐
 *   POST /metrics ─→ group commit ───────┴─→ history-table ─→ GET latest, history, aggregated
 */
import type { MeshApi } from '../../actors/ports.js'
import type { PluginHost } from '../../app/plugin.js'
import { every } from '../../kit/clock.js'
import type { Room } from '../../store/index.js'
import type { RestDatabase } from '../database.js'
import { GroupCommit } from '../group-commit.js'
import { Backlog } from './backlog.js'
import type { Sample } from './figures.js'
import { HistoryTable, SAMPLES_MAX } from './history-table.js'
import { type Kept, keptMs, keptSince } from './retention.js'
import { startSampler } from './sampler.js'

export interface History {
  readonly table: HistoryTable
  readonly kept: Kept
  readonly figures: HistoryFigures
  /** Resolves when the sample is durable. */
  keep(sample: Sample): Promise<void>
  /** Writes what waits, if the database is there. */
  stop(): Promise<void>
}

/** What the metrics page tells. */
export interface HistoryFigures {
  readonly written: number
  readonly waiting: number
  readonly dropped: number
}

/** What is over is cleared out this often, ms … */
const PRUNE_EVERY_MS = 60_000
/** … in statements that take a fraction of a second, rows of each kind. */
const PRUNE_ROWS = 2_000

export function openHistory(mesh: MeshApi, host: PluginHost, room: Room<RestDatabase>): History {
  const { clock, config, log } = host
  const table = new HistoryTable(room)
  const kept = keptMs(config)
  const since = () => keptSince(kept, clock.wallMs())
  // What is older than samples are kept could be there already, cleared out, and would be added up twice.
  const write = async (samples: readonly Sample[]) => {
    const { sample: oldestMs } = since()
    await table.write(samples.filter(({ atMs }) => atMs >= oldestMs))
  }
  const backlog = new Backlog({
    write,
    failed: error =>
      log.warn({ reason: reasonOf(error) }, 'the history cannot be written; the newest samples are kept'),
  })
  const commit = new GroupCommit<Sample, void>({
    clock,
    itemsMax: SAMPLES_MAX,
    write: async samples => {
      await write(samples)
      return samples.map(() => undefined)
    },
  })
  const endSampler = startSampler({
    clock,
    mesh,
    everyMs: config.historyEveryMs,
    take: samples => backlog.add(samples),
    done: () => void backlog.flush(),
  })
  const prune = async () => {
    while (await table.prune(since(), PRUNE_ROWS));
  }
  let pruning: Promise<void> = Promise.resolve()
  const endPruning = every(clock, PRUNE_EVERY_MS, () => {
    pruning = prune().catch(error =>
      log.debug({ reason: reasonOf(error) }, 'the history was not cleared out'),
    )
  })
  return {
    table,
    kept,
    figures: backlog,
    keep: sample => commit.put(sample),
    async stop() {
      endSampler()
      endPruning()
      await Promise.all([commit.settled(), backlog.flush(), pruning])
    },
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
