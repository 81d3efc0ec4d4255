/** Every room with tables in the database: the mesh first, then the plug-ins in the order they start. */
import { MESH_TABLES, type RoomTables } from '../store/index.js'
import { PLUGINS } from './plugins.js'

export const ROOMS: readonly RoomTables[] = [
  MESH_TABLES,
  ...PLUGINS.flatMap(({ name, migrations }) => (migrations === undefined ? [] : { name, migrations })),
]
