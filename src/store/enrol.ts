/**
 * First contact, in one transaction: spends the key, binds the id, gives addresses, writes the audit event.
 * Enrolments take turns by a lock of the database, so two coordinators never choose the same address; the
 * unique constraints stand behind it.
 */
import { type Kysely, sql, type Transaction } from 'kysely'
import type { EnrolOutcome, EnrolRequest } from '../actors/ports.js'
import { writeAuditEvents, writeIdentities } from './bulk.js'
import type { Database } from './database.js'
import { enrolledEvent, newIdentity } from './enrolment.js'
import { FIRST_AGENT_INDEX, type OverlayPool } from './overlay-pool.js'
import { identityColumns, identityOf } from './rows.js'
import { isUniqueViolation } from './sql-errors.js'

type Refused = Extract<EnrolOutcome, { ok: false }>

/** Rolls the transaction back, so that a refusal spends nothing. */
class Refusal extends Error {
  readonly outcome: Refused

  constructor(code: Refused['code']) {
    super(code)
    this.outcome = { ok: false, code }
  }
}

/** Attempts at one enrolment; a row that another writer brought in between is read by the next one. */
const ATTEMPTS = 3

export async function enrol(
  db: Kysely<Database>,
  pool: OverlayPool,
  request: EnrolRequest,
): Promise<EnrolOutcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      const identity = await db.transaction().execute(tx => bind(tx, pool, request))
      return { ok: true, identity }
    } catch (error) {
      if (error instanceof Refusal) return error.outcome
      if (attempt === ATTEMPTS || !isUniqueViolation(error)) throw error
    }
  }
}

async function bind(tx: Transaction<Database>, pool: OverlayPool, request: EnrolRequest) {
  await sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || '.enrol', 0))`.execute(tx)
  const known = await tx
    .selectFrom('identities')
    .select(identityColumns)
    .where('id', '=', request.id)
    .executeTakeFirst()
  if (known !== undefined) {
    if (Buffer.compare(known.public_key, request.publicKey) !== 0) throw new Refusal('key_mismatch')
    if (known.role !== request.role || known.revoked_at !== null) throw new Refusal('not_authorised')
    return identityOf(known)
  }

  const admitter =
    'operator' in request.by
      ? request.by.operator
      : `enrolment_key:${await spendKey(tx, request, request.by.secretHash)}`
  const holder = await tx
    .selectFrom('identities')
    .select('id')
    .where('public_key', '=', request.publicKey)
    .executeTakeFirst()
  if (holder !== undefined) throw new Refusal('key_in_use')

  const identity = newIdentity(request, pool.addresses(await freeIndex(tx, pool)))
  await writeIdentities(tx, [identity], pool)
  await writeAuditEvents(tx, [enrolledEvent(identity, admitter)])
  return identity
}

/** Returns the id of the key, which has one use less now. */
async function spendKey(
  tx: Transaction<Database>,
  { role, nowMs }: EnrolRequest,
  secretHash: Uint8Array,
): Promise<string> {
  const spent = await sql<{ key_id: string }>`
    update enrolment_keys set uses_left = uses_left - 1
    where secret_hash = ${secretHash}
      and revoked_at is null
      and (expires_at is null or expires_at > ${new Date(nowMs)})
      and (role is null or role = ${role})
      and (uses_left is null or uses_left > 0)
    returning key_id`.execute(tx)
  const key = spent.rows[0]
  if (key === undefined) throw new Refusal('not_authorised')
  return key.key_id
}

/** Returns the index above all others, and only when there is none the lowest gap: addresses come back late. */
async function freeIndex(tx: Transaction<Database>, pool: OverlayPool): Promise<number> {
  const { highest } = await tx
    .selectFrom('identities')
    .select(({ fn }) => fn.max('overlay_index').as('highest'))
    .executeTakeFirstOrThrow()
  const next = (highest ?? FIRST_AGENT_INDEX - 1) + 1
  if (next <= pool.lastIndex) return next

  const gap = await sql<{ index: number }>`
    select index from generate_series(${FIRST_AGENT_INDEX}::integer, ${pool.lastIndex}::integer) as index
    where not exists (select from identities where overlay_index = index)
    order by index limit 1`.execute(tx)
  if (gap.rows[0] === undefined) throw new Refusal('addresses_exhausted')
  return gap.rows[0].index
}
