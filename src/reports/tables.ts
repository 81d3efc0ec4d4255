/** The tables of this room, as Kysely sees them. What they hold of time is UTC. */
import type { ColumnType, Generated } from 'kysely'
import type { Counts } from './traffic/counts.js'

export interface ReportTables {
  report_streams: Streams
  report_keys: Keys
  report_clients: Clients
  report_traffic: Traffic
  report_logs: Logs
  traffic_paths: TrafficPaths
  traffic_pairs: TrafficPairs
  traffic_marks: TrafficMarks
}

export type Level = 'info' | 'warning' | 'error'
export type ResourceType = 'proxy' | 'domain'
/** Sums are kept in buckets of these widths, ms. */
export const WIDTHS = { '5min': 300_000, hour: 3_600_000, day: 86_400_000 } as const
export type Width = keyof typeof WIDTHS

/** What an agent has numbered, and how far we have it. */
interface Streams {
  reporter: string
  stream: string
  /** The highest number that is stored; -1 before the first one. */
  last_seq: number
  /** Numbers below it that have not come, as ranges. */
  missing: ColumnType<readonly (readonly [number, number])[], string, string>
  batches: number
  /** Batches that came again. */
  repeated: number
  /** Records that the agent had no room for, as it says. */
  dropped: number
  changed_at: Date
}

/** What was sent over HTTP under a key of its own. */
interface Keys {
  reporter: string
  key: string
  /** SHA-256 of what was sent, hex. */
  fingerprint: string
  /** How often it came. */
  uses: number
  at: Date
}

interface Clients {
  id: Generated<number>
  reporter: string
  agent_id: string
  ip: string
  /** Empty when nobody said. */
  user_agent: string
  country: string | null
  city: string | null
  country_code: string | null
  first_seen: Date
  last_seen: Date
  reports: number
}

/** Sums of a resource over a bucket of time. */
interface Traffic {
  width: Width
  bucket: Date
  reporter: string
  agent_id: string
  resource_type: ResourceType
  resource_id: string
  inbound_bytes: number
  outbound_bytes: number
  requests: number
  errors: number
  /** Of all requests together, ms. */
  response_ms: number
}

interface Logs {
  id: Generated<number>
  at: Date
  reporter: string
  agent_id: string
  level: Level
  message: string
  details: string
  /** JSON as it came: as text, for it may hold what `jsonb` does not take. */
  metadata: string | null
}

/** What a path was accounted for. */
interface TrafficPaths extends Counts {
  path_id: string
  client_id: string
  node_id: string
  seen_at: Date
  ended_at: Date | null
}

/** Bytes of a pair over a bucket of time. */
interface TrafficPairs extends Counts {
  width: 'hour' | 'day'
  bucket: Date
  client_id: string
  node_id: string
}

/** Until when a coordinator has accounted for everything that ended. */
interface TrafficMarks {
  server_id: string
  accounted_at: Date
}
