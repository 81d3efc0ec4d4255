/** The tables of this room, as Kysely sees them. */
import type { ColumnType, Generated } from 'kysely'
import type { EventType, MeshEvent, Presence } from './events.js'

export interface WebhookTables {
  webhooks: Webhooks
  webhook_events: Events
  webhook_deliveries: Deliveries
  webhook_presence: PresenceRows
}

interface Webhooks {
  id: string
  url: string
  events: ColumnType<readonly EventType[], string, string>
  description: string
  active: boolean
  /** Sealed. */
  secret: Uint8Array
  /** Sealed; null when there is only one. */
  old_secret: Uint8Array | null
  old_secret_until: Date | null
  created_at: Date
  changed_at: Date
  /** Since when nothing has arrived; null when the last attempt did, or there was none. */
  failing_since: Date | null
  /** Why we switched it off ourselves. */
  disabled_because: string | null
}

interface Events {
  /** The order in which they happened. */
  seq: Generated<number>
  id: string
  type: MeshEvent['type']
  subject: string
  generation: number | null
  at: Date
  data: ColumnType<Readonly<Record<string, unknown>>, string, string>
}

export type DeliveryStatus = 'waiting' | 'delivered' | 'failed'

interface Deliveries {
  /** The order in which those of one subject are made. */
  seq: Generated<number>
  webhook_id: string
  event_id: string
  subject: string
  status: DeliveryStatus
  /** Made so far, the one that is underway too. */
  attempts: number
  /** When the next attempt may be made. While one is underway: when it is taken for lost. */
  due_at: Date
  /** An operator has asked for it. */
  redelivery: boolean
  response_status: number | null
  error: string | null
  duration_ms: number | null
  created_at: Date
  finished_at: Date | null
}

/** What was told last of who is here. */
interface PresenceRows {
  subject: string
  presence: Presence
  generation: number
}
