/**
 * What has come before. The rows of a batch's stream, or of its key, are held by the transaction until its end: the
 * same batch through another door, or on another coordinator, waits for it.
 */
import { sql, type Transaction } from 'kysely'
import { type Batch, OPERATOR } from './batch.js'
import { inOrder } from './in-order.js'
import { arrived, type Sequence } from './sequence.js'
import type { ReportTables } from './tables.js'

/** `reused`: the key stands for something else. */
export type Verdict = 'counted' | 'repeated' | 'reused'

type Tx = Transaction<ReportTables>

/** Streams of one agent: it begins another when it has lost its spool. The operator speaks for many. */
const STREAMS_MAX = 100

/** Returns what becomes of each batch; from now on they have come. */
export async function verdictsOn(
  tx: Tx,
  batches: readonly Batch[],
  nowMs: number,
): Promise<readonly Verdict[]> {
  const streams = await lockStreams(tx, batches, nowMs)
  const keys = await takeKeys(tx, batches, nowMs)
  const begun = [...streams.values()].filter(({ sequence }) => sequence.last < 0)
  const verdicts = batches.map(batch => verdictOn(batch, streams, keys))
  await saveStreams(tx, streams)
  if (begun.length > 0) await forgetOldest(tx, new Set(begun.map(({ reporter }) => reporter)))
  return verdicts
}

interface Stream {
  readonly reporter: string
  readonly stream: string
  sequence: Sequence
  batches: number
  repeated: number
  dropped: number
}

interface Key {
  readonly fingerprint: string
  /** Whether a batch may still count under it. */
  isFree: boolean
}

function verdictOn(
  { reporter, once, dropped }: Batch,
  streams: ReadonlyMap<string, Stream>,
  keys: ReadonlyMap<string, Key>,
): Verdict {
  if (once === null) return 'counted'
  if (once.by === 'key') {
    const key = keys.get(nameOf(reporter, once.key)) as Key // taken for each of them
    if (key.fingerprint !== once.fingerprint) return 'reused'
    if (!key.isFree) return 'repeated'
    key.isFree = false
    return 'counted'
  }
  const stream = streams.get(nameOf(reporter, once.stream)) as Stream // locked for each of them
  stream.dropped = Math.max(stream.dropped, dropped)
  const after = arrived(stream.sequence, once.seq)
  if (after === null) {
    stream.repeated++
    return 'repeated'
  }
  stream.sequence = after
  stream.batches++
  return 'counted'
}

/** Reporters have no such character in their names. */
const nameOf = (reporter: string, name: string): string => `${reporter}\n${name}`

async function lockStreams(tx: Tx, batches: readonly Batch[], nowMs: number): Promise<Map<string, Stream>> {
  const wanted = new Map<string, { reporter: string; stream: string }>()
  for (const { reporter, once } of batches)
    if (once?.by === 'seq') wanted.set(nameOf(reporter, once.stream), { reporter, stream: once.stream })
  if (wanted.size === 0) return new Map()
  const { rows } = await sql<{
    reporter: string
    stream: string
    last: number
    missing: Sequence['missing']
  }>`
    insert into report_streams as stored (reporter, stream, changed_at)
    select reporter, stream, ${new Date(nowMs)}
    from json_to_recordset(${inOrder(wanted)}::json) as row (reporter text, stream text)
    on conflict (reporter, stream) do update set changed_at = excluded.changed_at
    returning stored.reporter, stored.stream, stored.last_seq as last, stored.missing`.execute(tx)
  return new Map(
    rows.map(({ reporter, stream, last, missing }) => [
      nameOf(reporter, stream),
      { reporter, stream, sequence: { last, missing }, batches: 0, repeated: 0, dropped: 0 },
    ]),
  )
}

async function saveStreams(tx: Tx, streams: ReadonlyMap<string, Stream>): Promise<void> {
  if (streams.size === 0) return
  await sql`
    update report_streams as stored set
      last_seq = row.last,
      missing = row.missing,
      batches = stored.batches + row.batches,
      repeated = stored.repeated + row.repeated,
      dropped = greatest(stored.dropped, row.dropped)
    from json_to_recordset(${JSON.stringify(
      [...streams.values()].map(({ sequence, ...rest }) => ({ ...rest, ...sequence })),
    )}::json) as row (
      reporter text, stream text, last bigint, missing jsonb, batches bigint, repeated bigint, dropped bigint
    )
    where stored.reporter = row.reporter and stored.stream = row.stream`.execute(tx)
}

/** Forgets the streams of these agents that have rested for longest, beyond what one may have. */
async function forgetOldest(tx: Tx, reporters: ReadonlySet<string>): Promise<void> {
  await sql`
    delete from report_streams where (reporter, stream) in (
      select reporter, stream from (
        select reporter, stream, row_number() over (partition by reporter order by changed_at desc, last_seq desc) as place
        from report_streams
        where reporter in (${sql.join([...reporters])}) and reporter <> ${OPERATOR}
      ) as ranked
      where place > ${STREAMS_MAX}
    )`.execute(tx)
}

async function takeKeys(tx: Tx, batches: readonly Batch[], nowMs: number): Promise<Map<string, Key>> {
  const wanted = new Map<string, { reporter: string; key: string; fingerprint: string }>()
  for (const { reporter, once } of batches) {
    if (once?.by !== 'key') continue
    const name = nameOf(reporter, once.key)
    if (!wanted.has(name)) wanted.set(name, { reporter, key: once.key, fingerprint: once.fingerprint })
  }
  if (wanted.size === 0) return new Map()
  const { rows } = await sql<{ reporter: string; key: string; fingerprint: string; uses: number }>`
    insert into report_keys as stored (reporter, key, fingerprint, uses, at)
    select reporter, key, fingerprint, 1, ${new Date(nowMs)}
    from json_to_recordset(${inOrder(wanted)}::json) as row (reporter text, key text, fingerprint text)
    on conflict (reporter, key) do update set uses = stored.uses + 1
    returning stored.reporter, stored.key, stored.fingerprint, stored.uses`.execute(tx)
  return new Map(
    rows.map(({ reporter, key, fingerprint, uses }) => [
      nameOf(reporter, key),
      { fingerprint, isFree: uses === 1 },
    ]),
  )
}
