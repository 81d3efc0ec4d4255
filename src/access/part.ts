/** What every part of this room is built from, and what it gives back. */
import type { MeshApi } from '../actors/ports.js'
import type { PluginHost, RunningPlugin } from '../app/plugin.js'
import type { Room } from '../store/rooms.js'
import type { AccessTables } from './tables.js'

export interface Ground {
  readonly mesh: MeshApi
  readonly host: PluginHost
  readonly room: Room<AccessTables>
}

/** Parts stop in the reverse of the order that they started in. */
export type Part = Pick<RunningPlugin, 'routes' | 'figures' | 'stop'>
