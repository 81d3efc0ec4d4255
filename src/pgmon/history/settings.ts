/** What admins set while it runs: kept in the database, so that all coordinators go by the same. */
import { z } from 'zod'
import type { PluginHost } from '../../app/plugin.js'
import { whole } from '../../http/fields.js'
import { every } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import type { MonitorTables } from '../tables.js'
import type { Collector, SettingsForm } from './forms.js'

/**
 * What may be set. Oftener than every minute, two days would be more points than a history has; longer than eight years,
 * so would its days.
 */
const BOUNDS = {
  activity_minutes: whole(1, 1_440),
  sizes_minutes: whole(5, 1_440),
  disk_minutes: whole(5, 1_440),
  upkeep_hours: whole(1, 168),
  history_months: whole(1, 96),
  logs_days: whole(1, 3_650),
} as const satisfies Record<keyof SettingsForm, z.ZodType<number>>

export const SettingsWish = z
  .strictObject(BOUNDS)
  .partial()
  .refine(wish => Object.keys(wish).length > 0, { error: 'wanted at least one field to change' })
export type SettingsWish = z.output<typeof SettingsWish>

/** Until somebody says otherwise. */
const USUAL: SettingsForm = {
  activity_minutes: 10,
  sizes_minutes: 30,
  disk_minutes: 30,
  upkeep_hours: 24,
  history_months: 12,
  logs_days: 30,
}

/** How long until what was set elsewhere is seen here, ms. */
const REREAD_MS = 20_000

export interface SettingsOptions extends Pick<PluginHost, 'clock' | 'log'> {
  readonly room: Room<MonitorTables>
}

export class Settings {
  readonly #options: SettingsOptions
  readonly #hearers = new Set<() => void>()
  readonly #stop: () => void
  #current: SettingsForm

  /** Resolves with the settings as they are. */
  static async open(options: SettingsOptions): Promise<Settings> {
    return new Settings(options, await read(options.room))
  }

  private constructor(options: SettingsOptions, current: SettingsForm) {
    this.#options = options
    this.#current = current
    this.#stop = every(options.clock, REREAD_MS, () => {
      this.reread().catch((error: unknown) => {
        options.log.debug({ err: error }, 'the settings of the monitor wait to be read')
      })
    })
  }

  get current(): SettingsForm {
    return this.#current
  }

  /** Returns how often a collector visits a server, ms. */
  everyMs(collector: Collector): number {
    const { activity_minutes, sizes_minutes, disk_minutes, upkeep_hours } = this.#current
    const minutes = {
      activity: activity_minutes,
      sizes: sizes_minutes,
      disk: disk_minutes,
      upkeep: upkeep_hours * 60,
    }
    return minutes[collector] * 60_000
  }

  /** Resolves with the settings as they are then. */
  async change(wish: SettingsWish, actor: string): Promise<SettingsForm> {
    const { room, clock } = this.#options
    const rows = Object.entries(wish)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => ({
        name,
        value: JSON.stringify(value),
        changed_by: actor,
        changed_at: new Date(clock.wallMs()),
      }))
    await room.ask(db =>
      db
        .insertInto('pgmon_settings')
        .values(rows)
        .onConflict(conflict =>
          conflict.column('name').doUpdateSet(row => ({
            value: row.ref('excluded.value'),
            changed_by: row.ref('excluded.changed_by'),
            changed_at: row.ref('excluded.changed_at'),
          })),
        )
        .execute(),
    )
    await this.reread()
    return this.#current
  }

  async reread(): Promise<void> {
    const now = await read(this.#options.room)
    const before = this.#current
    this.#current = now
    if (NAMES.some(name => now[name] !== before[name])) for (const hear of this.#hearers) hear()
  }

  /** Calls `hear` when something was set, here or elsewhere; returns what ends it. */
  onChange(hear: () => void): () => void {
    this.#hearers.add(hear)
    return () => void this.#hearers.delete(hear)
  }

  stop(): void {
    this.#stop()
  }
}

const NAMES = Object.keys(USUAL) as readonly (keyof SettingsForm)[] // they are its keys

/** What is no longer within its bounds counts as not set. */
async function read(room: Room<MonitorTables>): Promise<SettingsForm> {
  const rows = await room.ask(db => db.selectFrom('pgmon_settings').select(['name', 'value']).execute())
  const told = new Map(rows.map(({ name, value }) => [name, value]))
  const entries = NAMES.map(name => {
    const { success, data } = BOUNDS[name].safeParse(told.get(name))
    return [name, success ? data : USUAL[name]] as const
  })
  return Object.fromEntries(entries) as unknown as SettingsForm // every name has one
}
