/** The networks of the mesh are settled when the first agent has an address in them. */
import type { Kysely } from 'kysely'
import type { Database } from './database.js'
import { BadOverlay } from './errors.js'
import type { OverlayPool } from './overlay-pool.js'

const KEY = 'overlay'

/** Remembers the networks, or throws a BadOverlay when agents have addresses in others. */
export async function settleOverlay(db: Kysely<Database>, pool: OverlayPool): Promise<void> {
  const wanted = { overlay4: pool.overlay4, overlay6: pool.overlay6 }
  const value = JSON.stringify(wanted)
  await db.transaction().execute(async tx => {
    await tx
      .insertInto('server_meta')
      .values({ key: KEY, value })
      .onConflict(conflict => conflict.column('key').doNothing())
      .execute()
    const row = await tx
      .selectFrom('server_meta')
      .select('value')
      .where('key', '=', KEY)
      .executeTakeFirstOrThrow()
    const settled = row.value as typeof wanted // written above, by this or an earlier process
    if (settled.overlay4 === wanted.overlay4 && settled.overlay6 === wanted.overlay6) return
    if ((await tx.selectFrom('identities').select('id').limit(1).executeTakeFirst()) !== undefined) {
      throw new BadOverlay(
        `the agents of this store have addresses in ${settled.overlay4} and ${settled.overlay6}, not in ` +
          `${wanted.overlay4} and ${wanted.overlay6}; configure those networks, or start with an empty store`,
      )
    }
    await tx.updateTable('server_meta').set({ value }).where('key', '=', KEY).execute()
  })
}
