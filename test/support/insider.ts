/**
 * A plug-in for tests of accounts: makes them without the work of a password, knows them by the token `as-<name>`, and looks
 * into the tables.
 *
 *   const inside = insider()
 *   const { ask } = await start({ plugins: [access, inside.plugin] })
 *   const ada = await inside.account('ada@example.org')
 *   await ask('GET', '/auth/me', { token: ada.token })
 */
import { MIGRATIONS } from '../../src/access/migrations.js'
import type { AccessTables } from '../../src/access/tables.js'
import type { Plugin } from '../../src/app/plugin.js'
import type { Caller } from '../../src/http/caller.js'
import type { AccountRole } from '../../src/http/roles.js'
import type { Room } from '../../src/store/rooms.js'

export interface Insider {
  readonly plugin: Plugin
  readonly room: () => Room<AccessTables>
  account(name: string, role?: AccountRole): Promise<InsiderAccount>
}

export interface InsiderAccount {
  readonly accountId: string
  readonly userId: number
  readonly token: string
}

export function insider(): Insider {
  let opened: Room<AccessTables> | undefined
  const callers = new Map<string, Caller>()
  const room = () => {
    if (opened === undefined) throw new Error('the server has not started')
    return opened
  }
  return {
    room,
    plugin: {
      // The tables are those of the room.
      name: 'access',
      migrations: MIGRATIONS,
      async start(_mesh, host) {
        opened = await host.room<AccessTables>()
        return {
          routes: [],
          recognise: bearer => callers.get(bearer) ?? null,
          stop: async () => undefined,
        }
      },
    },
    async account(name, role = 'user') {
      const accountId = `acc_${name}`
      const { user_id: userId } = await room().ask(db =>
        db
          .insertInto('accounts')
          .values({
            account_id: accountId,
            name,
            name_key: name,
            role,
            password_hash: 'nobody signs in by it',
            epoch: 0,
            disabled_at: null,
            created_at: new Date(0),
            last_sign_in_at: null,
          })
          .returning('user_id')
          .executeTakeFirstOrThrow(),
      )
      const who = { name, accountId, signInId: null, expiresAtMs: null }
      const token = `as-${name}`
      callers.set(token, role === 'user' ? { kind: 'user', ...who } : { kind: 'operator', role, ...who })
      return { accountId, userId, token }
    },
  }
}
