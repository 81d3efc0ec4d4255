/** How PGlite is run: the settings of its server, which is one process without background workers. */
import { PGlite, types } from '@electric-sql/pglite'

const settings = {
  // The default of 128 MB is touched whole at the start; the tables of a mesh need less.
  shared_buffers: '16MB',
  // Two segments of 16 MB to write in, and the older ones go with each checkpoint.
  min_wal_size: '32MB',
  max_wal_size: '64MB',
}

export const PGLITE_OPTIONS = {
  startParams: [
    ...PGlite.defaultStartParams,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ],
  // Counts above 2^53 do not occur: as numbers, int8 reads the same from both databases.
  parsers: { [types.INT8]: Number },
}
