/** The tables of this room, as Kysely sees them. */
import type { Note } from './agents/notes.js'
import type { FigureField } from './heartbeats/heartbeat.js'
import type { Job } from './jobs/job.js'
import type { Interval } from './history/intervals.js'
import type { Source } from './history/figures.js'

export interface RestDatabase {
  metric_samples: MetricSamples
  metric_latest: MetricSamples
  metric_sums: MetricSums
  vpn_servers: VpnServers
  server_heartbeats: ServerHeartbeats
  server_tasks: ServerTasks
  agent_notes: AgentNotes
  presence: Presence
}

/** Figures are at the places of `history/figures.ts`; rows of older versions have fewer. */
interface MetricSamples {
  id: string
  source: Source
  at: Date
  figures: (number | null)[]
}

interface MetricSums {
  id: string
  interval: Interval
  /** When the interval began. */
  at: Date
  samples: number
  counts: number[]
  sums: (number | null)[]
  mins: (number | null)[]
  maxs: (number | null)[]
}

interface AgentNotes {
  id: string
  note: Note
  /** When it was last heard; null while it is here, or when nobody knows. */
  seen_at: Date | null
}

interface Presence {
  id: string
  at: Date
  /** `online` or `offline`. */
  became: string
  generation: number
}

interface VpnServers {
  server_id: string
  /** As the operator calls it; at first its id. */
  name: string
  description: string
  is_active: boolean
  created_at: Date
  last_heartbeat_at: Date
}

type ServerHeartbeats = {
  id: number
  server_id: string
  received_at: Date
  generated_at: Date
  ready_at: Date | null
  iface: string | null
  ping_target: string | null
  load1: string | null
} & Record<FigureField, number | null>

interface ServerTasks extends Job {
  /** When it is told next, unless it is over. */
  due_at: Date
}
