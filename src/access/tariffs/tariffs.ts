/** What is sold, in the database. What somebody has is on the terms of when it was granted: a change here changes it for nobody. */
import { type Insertable, sql } from 'kysely'
import { conflict, HttpError, notFound } from '../../http/faults.js'
import type { Clock } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import type { AccessTables } from '../tables.js'
import type { TariffRow } from './rows.js'

/** A tariff as an admin words it. */
export interface TariffWish
  extends Omit<Insertable<AccessTables['tariffs']>, 'tariff_id' | 'archived_at' | 'created_at'> {
  /** It is sold no more. */
  readonly archived: boolean
}

export interface TariffsOptions {
  readonly room: Room<AccessTables>
  readonly clock: Pick<Clock, 'wallMs'>
}

export class Tariffs {
  readonly #room: Room<AccessTables>
  readonly #clock: Pick<Clock, 'wallMs'>

  constructor({ room, clock }: TariffsOptions) {
    this.#room = room
    this.#clock = clock
  }

  /** Resolves with all of them: there are few. */
  all(): Promise<readonly TariffRow[]> {
    return this.#room.ask(db => db.selectFrom('tariffs').selectAll().execute())
  }

  /** Resolves with a tariff, or rejects with a 404. */
  async of(tariffId: number): Promise<TariffRow> {
    const row = await this.#room.ask(db =>
      db.selectFrom('tariffs').selectAll().where('tariff_id', '=', tariffId).executeTakeFirst(),
    )
    return found(row, tariffId)
  }

  /** Resolves with the new tariff; rejects with a 409 when its name is taken. */
  async create({ archived, ...wish }: TariffWish): Promise<TariffRow> {
    const now = new Date(this.#clock.wallMs())
    const row = await this.#room.ask(db =>
      db
        .insertInto('tariffs')
        .values({ ...wish, archived_at: archived ? now : null, created_at: now })
        .onConflict(conflicting => conflicting.column('name').doNothing())
        .returningAll()
        .executeTakeFirst(),
    )
    if (row === undefined) throw taken(wish.name)
    return row
  }

  /** Resolves with the tariff as it is from now on; rejects with a 404, or a 409 when its name is taken. */
  async replace(tariffId: number, { archived, ...wish }: TariffWish): Promise<TariffRow> {
    const now = new Date(this.#clock.wallMs())
    const row = await this.#room
      .ask(db =>
        db
          .updateTable('tariffs')
          .set({
            ...wish,
            archived_at: archived ? sql<Date>`coalesce(archived_at, ${now})` : null,
          })
          .where('tariff_id', '=', tariffId)
          .returningAll()
          .executeTakeFirst(),
      )
      .catch((error: unknown) => {
        throw codeOf(error) === 'STORE_CONFLICT' ? taken(wish.name) : error
      })
    return found(row, tariffId)
  }

  /** Resolves with the tariff that is gone; rejects with a 404, or a 409 when somebody has it, had it or has paid for it. */
  async remove(tariffId: number): Promise<TariffRow> {
    const row = await this.#room
      .ask(db => db.deleteFrom('tariffs').where('tariff_id', '=', tariffId).returningAll().executeTakeFirst())
      .catch((error: unknown) => {
        throw IS_REFERRED_TO.has(codeOf(error)) ? assigned(tariffId) : error
      })
    return found(row, tariffId)
  }
}

/** SQLSTATE: a row that stays refers to the one that was to go. PostgreSQL says the first since version 18. */
const IS_REFERRED_TO: ReadonlySet<unknown> = new Set(['23001', '23503'])

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined

function found(row: TariffRow | undefined, tariffId: number): TariffRow {
  if (row === undefined) throw notFound(`there is no tariff ${tariffId}`)
  return row
}

const taken = (name: string) => conflict(`there is a tariff ${name} already`)

const assigned = (tariffId: number) =>
  new HttpError(
    409,
    'assigned',
    `tariff ${tariffId} is assigned or paid for: archive it, and it is sold no more`,
  )
