/** SSH keys of this room. */
import type { Ground, Part } from '../part.js'
import type { Keys } from '../ports.js'
import { keyEndpoints } from './key-endpoints.js'
import { KeyWork } from './key-work.js'
import { SshKeys } from './ssh-keys.js'

/** Returns the part, and what gives the others a key. */
export function startSshKeys({ host, room }: Ground): Part & { readonly keys: Keys } {
  const { clock, vault } = host
  const keys = new SshKeys({ room, clock, vault })
  const work = new KeyWork()
  return {
    keys,
    routes: keyEndpoints({ keys, work, audit: event => host.audit(event) }),
    stop: () => work.stop(),
  }
}
