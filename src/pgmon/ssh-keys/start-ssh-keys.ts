/** SSH keys of this room. */
import type { Ground, Part } from '../part.js'
import { keyEndpoints } from './key-endpoints.js'
import { KeyWork } from './key-work.js'
import { SshKeys } from './ssh-keys.js'

export interface SshKeysPart extends Part {
  readonly keys: SshKeys
  readonly work: KeyWork
}

export function startSshKeys({ host, room }: Ground): SshKeysPart {
  const { clock, vault } = host
  const keys = new SshKeys({ room, clock, vault })
  const work = new KeyWork()
  return {
    keys,
    work,
    routes: keyEndpoints({ keys, work, audit: event => host.audit(event) }),
    stop: () => work.stop(),
  }
}
