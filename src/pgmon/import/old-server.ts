/** A server of the Python system in the words of this one. */
import type { z } from 'zod'
import type { ServerCreate } from '../servers/bodies.js'
import type { Tls } from '../ports.js'
import { type FernetKey, isFernet, openFernet } from './fernet.js'
import type { OldServer } from './forms.js'

export interface Translated {
  readonly wish: z.input<typeof ServerCreate>
  /** What is still to be done, for people; null: nothing. */
  readonly todo: string | null
}

export interface TranslateOptions {
  readonly key: FernetKey
  readonly tls: Tls
  /** Returns the number that a key of theirs has here; null when it has none. */
  readonly keyIdOf: (oldId: string) => number | null
}

/** A secret of theirs that does not open. */
export class Sealed extends Error {
  override readonly name = 'Sealed'
  readonly code = 'SEALED'

  constructor(field: string) {
    super(`${field} does not open with this encryption_key`)
  }
}

/** Returns the wish for a server; throws `Sealed`. */
export function translated(old: OldServer, { key, tls, keyIdOf }: TranslateOptions): Translated {
  const password = opened(old.password, key, 'password')
  const base = {
    name: nameOf(old.name),
    host: old.host,
    port: old.port,
    user: old.user,
    password: password === '' ? null : password,
    tls,
    ...(old.stats_db !== '' && { database: old.stats_db, pool: 'stats_db' as const }),
  }
  if (old.ssh_user === '') return { wish: base, todo: null }
  const ssh = { ...base, ssh_user: old.ssh_user, ssh_port: old.ssh_port }
  if (old.ssh_auth_type === 'key') {
    const keyId = keyIdOf(old.ssh_key_id)
    return keyId === null
      ? { wish: base, todo: `its SSH key ${old.ssh_key_id} was not imported: give it another` }
      : { wish: { ...ssh, ssh_auth: 'key', ssh_key_id: keyId }, todo: PIN }
  }
  const sshPassword = opened(old.ssh_password, key, 'ssh_password')
  if (sshPassword === '') return { wish: base, todo: null }
  return { wish: { ...ssh, ssh_auth: 'password', ssh_password: sshPassword }, todo: PIN }
}

/** The Python system took any key that a machine showed. */
const PIN = 'pin the key of its machine (test-ssh): nothing is asked of it by SSH until then'

/** Returns a secret; some were sealed twice. Throws `Sealed`. */
export function opened(given: string, key: FernetKey, field: string): string {
  let text = given.trim()
  for (let layer = 0; layer < 2 && isFernet(text); layer++) {
    const inner = openFernet(text, key)
    if (inner === null) throw new Sealed(field)
    text = inner
  }
  return text
}

const NAME_MAX = 64

/** Returns a name as we spell them: what has no place in one becomes a dash. */
const nameOf = (name: string): string =>
  name
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replaceAll(/^[._-]+|-+$/g, '')
    .slice(0, NAME_MAX)
