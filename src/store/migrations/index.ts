/**
 * Every change of the tables, in order. A migration that was released is never edited: the next one is added
 * below it.
 */
import type { Migration } from 'kysely/migration'
import { mesh } from './0001_mesh.js'
import { abilities } from './0002_abilities.js'
import { paths } from './0003_paths.js'
import { steering } from './0004_steering.js'
import { routeHistory } from './0005_route_history.js'

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_mesh': mesh,
  '0002_abilities': abilities,
  '0003_paths': paths,
  '0004_steering': steering,
  '0005_route_history': routeHistory,
}
