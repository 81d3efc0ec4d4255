/** Names of tables in other databases than the one that was asked: only there they are known. */
import type { Databases, Server } from '../ports.js'
import type { LockRow } from './locks.js'

/** Databases that are asked for names, of one answer: each may take a connection of its own. */
const DATABASES_MAX = 3

/** Returns the key of a relation among the names. */
export const relationKey = (database: string, oid: number): string => `${oid} of ${database}`

/** Resolves with the names of the relations that have none yet; those that cannot be had now are left out. */
export async function relationNames(
  databases: Databases,
  server: Server,
  rows: readonly LockRow[],
): Promise<ReadonlyMap<string, string>> {
  const wanted = new Map<string, Set<number>>()
  for (const { relation, relation_oid: oid, relation_database: database } of rows) {
    if (relation !== null || oid === null || database === null) continue
    wanted.set(database, (wanted.get(database) ?? new Set()).add(oid))
  }
  const names = new Map<string, string>()
  const asking = [...wanted].slice(0, DATABASES_MAX).map(async ([database, oids]) => {
    const told = await databases.use(server, database, db => db.ask<Named>(NAMES, [[...oids]]))
    for (const { oid, name } of told) names.set(relationKey(database, oid), name)
  })
  await Promise.allSettled(asking)
  return names
}

interface Named {
  readonly oid: number
  readonly name: string
}

const NAMES = `
select c.oid::int8 as oid, n.nspname || '.' || c.relname as name
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.oid = any ($1::oid[])`
