/** Which migrations a database has not seen yet, and which it has seen that this program does not know. */
import type { Migrations } from '../rooms.js'
import { MIGRATIONS } from './index.js'

/** The tables of a room, as this program wants them. */
export interface RoomTables {
  readonly name: string
  readonly migrations: Migrations
}

/** The mesh's own. */
export const MESH_TABLES: RoomTables = { name: 'mesh', migrations: MIGRATIONS }

export interface RoomNames {
  readonly room: string
  /** In the order in which they are applied. */
  readonly names: readonly string[]
}

type Applied = Readonly<Record<string, readonly string[]>>

/** Returns what the next start would apply, room by room; empty when there is nothing. */
export const pendingOf = (applied: Applied, rooms: readonly RoomTables[]): readonly RoomNames[] =>
  rooms
    .map(({ name, migrations }) => ({
      room: name,
      names: Object.keys(migrations).filter(each => applied[name]?.includes(each) !== true),
    }))
    .filter(({ names }) => names.length > 0)

/** Returns what only a newer version can have applied; empty when there is nothing. */
export function newerIn(applied: Applied, rooms: readonly RoomTables[]): readonly RoomNames[] {
  const known = new Map(rooms.map(({ name, migrations }) => [name, migrations]))
  return Object.entries(applied)
    .map(([room, names]) => ({ room, names: names.filter(each => !(each in (known.get(room) ?? {}))) }))
    .filter(({ names }) => names.length > 0)
}

/** Returns them in words: `mesh 0006_x, 0007_y; access 0005_z`. */
export const inWords = (rooms: readonly RoomNames[]): string =>
  rooms.map(({ room, names }) => `${room} ${names.join(', ')}`).join('; ')
