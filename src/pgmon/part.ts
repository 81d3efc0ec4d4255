/** What every part of this room is built from, and what it gives back. */
import type { PluginHost, RunningPlugin } from '../app/plugin.js'
import type { Room } from '../store/rooms.js'
import type { MonitorTables } from './tables.js'

export interface Ground {
  readonly host: PluginHost
  readonly room: Room<MonitorTables>
}

/** Parts stop in the reverse of the order that they started in. */
export type Part = Pick<RunningPlugin, 'routes' | 'figures' | 'stop'>
