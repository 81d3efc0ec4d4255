/** What a backup says of itself: of what it is, of which versions, and of when. */
import { z } from 'zod'

/** Of the file: a later one may be read by no earlier program. */
export const FORMAT = 1
export const WHAT = 'backup of a BosonServer'

const Tables = z.object({
  /** Of the tables, within the database. */
  schema: z.string().min(1),
  /** Every migration that was applied, by room; the mesh’s own are those of `mesh`. */
  migrations: z.record(z.string(), z.array(z.string())),
  /** How many rows each table had. */
  rows: z.record(z.string(), z.int().nonnegative()),
})

const Manifest = z.object({
  what: z.literal(WHAT),
  format: z.int().positive(),
  /** Of the program that made it. */
  version: z.string(),
  takenAt: z.iso.datetime(),
  /** Of the coordinator; null where nobody knew it. */
  serverId: z.string().nullable(),
  /** Tells the key of the vault from others, and nothing of it; null where nobody knew it. */
  vaultKeyId: z.string().nullable(),
  kind: z.enum(['pglite', 'postgres']),
  /** Of the database: `15.18`. */
  database: z.string(),
  tables: Tables,
})

export type Manifest = z.output<typeof Manifest>
export type Tables = z.output<typeof Tables>

/** What the one who makes a backup has to say of it. */
export type About = Pick<Manifest, 'version' | 'serverId' | 'vaultKeyId'> & {
  /** ms since 1970 UTC. */
  readonly nowMs: number
}

/** Returns what was read as JSON, or null when it is none of ours. A later format is read as far as its number. */
export function readManifest(text: string): Manifest | { readonly format: number } | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  const any = z.looseObject({ what: z.literal(WHAT), format: z.int().positive() }).safeParse(value)
  if (!any.success) return null
  if (any.data.format > FORMAT) return { format: any.data.format }
  const manifest = Manifest.safeParse(value)
  return manifest.success ? manifest.data : null
}
