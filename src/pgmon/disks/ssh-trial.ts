/** A connection to a machine that is made to see whether it can be; and the pinning of the key that it shows. */
import type { PluginHost } from '../../app/plugin.js'
import { type Caller, nameOf } from '../../http/caller.js'
import { conflict, HttpError } from '../../http/faults.js'
import { SshError } from '../../ssh/errors.js'
import type { Tried } from '../../ssh/ssh-host.js'
import type { Server, Servers, SshPlace } from '../ports.js'
import type { SshTest } from './forms.js'
import type { Machines } from './machines.js'

export interface SshTrialsOptions {
  readonly host: Pick<PluginHost, 'clock' | 'audit'>
  readonly servers: Pick<Servers, 'pinHostKey'>
  readonly machines: Pick<Machines, 'open'>
}

export class SshTrials {
  readonly #options: SshTrialsOptions
  /** Servers whose machine is being tried. */
  readonly #underWay = new Set<number>()

  constructor(options: SshTrialsOptions) {
    this.#options = options
  }

  /** Resolves with what came of it; `pin` is pinned when it is the key that the machine shows. One at a time for each server. */
  async try(server: Server, pin: string | null, caller: Caller): Promise<SshTest> {
    const { serverId, name, ssh } = server
    if (ssh === null) throw conflict(`nobody has said how the machine of ${name} is reached: set ssh_auth`)
    if (this.#underWay.has(serverId))
      throw new HttpError(503, 'ssh_busy', 'it is being tried already', { 'Retry-After': '10' })
    this.#underWay.add(serverId)
    const { clock } = this.#options.host
    const beganMs = clock.now()
    try {
      const { hostKey, fault } = await this.#tried(server, ssh, pin)
      const isToBePinned = pin !== null && pin === hostKey
      if (isToBePinned && hostKey !== ssh.hostKey) await this.#pin(server, pin, caller)
      return {
        ok: fault === null,
        message: fault?.message ?? 'it lets us in',
        host_key: hostKey,
        is_pinned: hostKey !== null && (isToBePinned || hostKey === ssh.hostKey),
        took_ms: Math.round(clock.now() - beganMs),
      }
    } finally {
      this.#underWay.delete(serverId)
    }
  }

  async #tried(server: Server, ssh: SshPlace, pin: string | null): Promise<Tried> {
    try {
      const host = await this.#options.machines.open(server, ssh, pin ?? ssh.hostKey)
      return await host.test()
    } catch (error) {
      if (error instanceof SshError) return { hostKey: null, fault: error }
      throw error
    }
  }

  async #pin(server: Server, hostKey: string, caller: Caller): Promise<void> {
    const { servers, host } = this.#options
    await servers.pinHostKey(server, hostKey)
    host.audit({
      kind: 'monitored_server.host_key_pinned',
      actor: nameOf(caller),
      subject: server.name,
      detail: { hostKey, was: server.ssh?.hostKey ?? null },
    })
  }
}
