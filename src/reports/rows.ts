/** Records into their tables, a statement each, however many there are. */
import { sql, type Transaction } from 'kysely'
import type { Batch, ClientRecord, LogRecord, TrafficRecord } from './batch.js'
import { inOrder } from './in-order.js'
import { type ReportTables, WIDTHS } from './tables.js'

type Tx = Transaction<ReportTables>

interface ClientRow extends Omit<ClientRecord, 'atMs'> {
  readonly reporter: string
  readonly firstMs: number
  readonly lastMs: number
  readonly reports: number
}

export async function writeClients(tx: Tx, batches: readonly Batch[]): Promise<void> {
  const rows = new Map<string, ClientRow>()
  for (const { reporter, clients } of batches) {
    for (const { atMs, ...client } of clients) {
      const key = keyOf(reporter, client.agentId, client.ip, client.userAgent)
      const { firstMs, lastMs, reports, ...before } = rows.get(key) ?? {
        firstMs: atMs,
        lastMs: atMs,
        reports: 0,
      }
      rows.set(key, {
        ...client,
        ...(lastMs > atMs && before),
        reporter,
        firstMs: Math.min(firstMs, atMs),
        lastMs: Math.max(lastMs, atMs),
        reports: reports + 1,
      })
    }
  }
  if (rows.size === 0) return
  await sql`
    insert into report_clients as stored (
      reporter, agent_id, ip, user_agent, country, city, country_code, first_seen, last_seen, reports
    )
    select
      reporter, "agentId", ip, "userAgent", country, city, "countryCode", to_timestamp("firstMs" / 1000),
      to_timestamp("lastMs" / 1000), reports
    from json_to_recordset(${inOrder(rows)}::json) as row (
      reporter text, "agentId" text, ip text, "userAgent" text, country text, city text, "countryCode" text,
      "firstMs" float8, "lastMs" float8, reports bigint
    )
    on conflict (reporter, agent_id, ip, user_agent) do update set
      country = coalesce(excluded.country, stored.country),
      city = coalesce(excluded.city, stored.city),
      country_code = coalesce(excluded.country_code, stored.country_code),
      first_seen = least(stored.first_seen, excluded.first_seen),
      last_seen = greatest(stored.last_seen, excluded.last_seen),
      reports = stored.reports + excluded.reports`.execute(tx)
}

interface TrafficRow extends Omit<TrafficRecord, 'atMs' | 'responseTimeMs'> {
  readonly reporter: string
  readonly width: string
  readonly bucketMs: number
  readonly responseMs: number
}

export async function writeTraffic(tx: Tx, batches: readonly Batch[]): Promise<void> {
  const rows = new Map<string, TrafficRow>()
  for (const { reporter, traffic } of batches) {
    for (const { atMs, responseTimeMs, ...record } of traffic) {
      for (const [width, widthMs] of Object.entries(WIDTHS)) {
        const bucketMs = atMs - (atMs % widthMs)
        const { agentId, resourceType, resourceId, ...sums } = record
        const key = keyOf(width, bucketMs, reporter, agentId, resourceType, resourceId)
        const before = rows.get(key)
        rows.set(key, {
          reporter,
          width,
          bucketMs,
          agentId,
          resourceType,
          resourceId,
          inboundBytes: sums.inboundBytes + (before?.inboundBytes ?? 0),
          outboundBytes: sums.outboundBytes + (before?.outboundBytes ?? 0),
          requests: sums.requests + (before?.requests ?? 0),
          errors: sums.errors + (before?.errors ?? 0),
          responseMs: responseTimeMs * sums.requests + (before?.responseMs ?? 0),
        })
      }
    }
  }
  if (rows.size === 0) return
  await sql`
    insert into report_traffic as stored (
      width, bucket, reporter, agent_id, resource_type, resource_id, inbound_bytes, outbound_bytes, requests, errors,
      response_ms
    )
    select
      width, to_timestamp("bucketMs" / 1000), reporter, "agentId", "resourceType", "resourceId", "inboundBytes",
      "outboundBytes", requests, errors, "responseMs"
    from json_to_recordset(${inOrder(rows)}::json) as row (
      width text, "bucketMs" float8, reporter text, "agentId" text, "resourceType" text, "resourceId" text,
      "inboundBytes" bigint, "outboundBytes" bigint, requests bigint, errors bigint, "responseMs" float8
    )
    on conflict (width, bucket, reporter, agent_id, resource_type, resource_id) do update set
      inbound_bytes = stored.inbound_bytes + excluded.inbound_bytes,
      outbound_bytes = stored.outbound_bytes + excluded.outbound_bytes,
      requests = stored.requests + excluded.requests,
      errors = stored.errors + excluded.errors,
      response_ms = stored.response_ms + excluded.response_ms`.execute(tx)
}

export async function writeLogs(tx: Tx, batches: readonly Batch[]): Promise<void> {
  const rows = batches.flatMap(({ reporter, logs }) =>
    logs.map((log): LogRecord & { reporter: string } => ({ reporter, ...log })),
  )
  if (rows.length === 0) return
  await sql`
    insert into report_logs (at, reporter, agent_id, level, message, details, metadata)
    select to_timestamp("atMs" / 1000), reporter, "agentId", level, message, details, metadata
    from json_to_recordset(${JSON.stringify(rows)}::json) as row (
      "atMs" float8, reporter text, "agentId" text, level text, message text, details text, metadata text
    )`.execute(tx)
}

const keyOf = (...parts: readonly (string | number)[]): string => JSON.stringify(parts)
