/**
 * The way to the machine of a server. Its address is checked and its secret opened anew for each connection; what speaks
 * SSH is loaded when the first machine is asked.
 */
import type { PluginHost } from '../../app/plugin.js'
import { DestinationError, type Destinations } from '../../http/destination.js'
import { SshError } from '../../ssh/errors.js'
import type { SshHost, SshLogin } from '../../ssh/ssh-host.js'
import type { Keys, Server, Servers, SshPlace } from '../ports.js'

export interface MachinesOptions {
  readonly host: Pick<PluginHost, 'clock' | 'log' | 'audit'>
  readonly servers: Pick<Servers, 'sshPasswordOf'>
  readonly keys: Pick<Keys, 'privateKey'>
  readonly destinations: Pick<Destinations, 'addressOfHost'>
}

export class Machines {
  readonly #options: MachinesOptions
  /** What the last alarm of a server was about. */
  readonly #alarms = new Map<number, string>()

  constructor(options: MachinesOptions) {
    this.#options = options
  }

  /** Resolves with a server’s machine, known by a key that need not be the pinned one; rejects with an `SshError`. */
  async open(server: Server, ssh: SshPlace, hostKey: string | null = ssh.hostKey): Promise<SshHost> {
    const login = await this.#loginOf(server, ssh)
    const { SshHost: Host } = await import('../../ssh/ssh-host.js')
    return new Host({
      clock: this.#options.host.clock,
      address: { user: ssh.user, host: ssh.host, port: ssh.port },
      addressOf: () => this.#addressOf(ssh.host),
      login,
      hostKey,
      settings: { login: ssh.auth === 'key' ? 'ssh_key_id' : 'ssh_password', hostKey: 'ssh_host_key' },
      alarm: seen => this.#alarm(server, ssh, seen),
    })
  }

  /** Nothing is known of a server any more. */
  forget(serverId: number): void {
    this.#alarms.delete(serverId)
  }

  async #loginOf(server: Server, { auth, keyId }: SshPlace): Promise<SshLogin> {
    if (auth === 'password') {
      const password = await this.#options.servers.sshPasswordOf(server)
      return password === null ? sealed('ssh_password') : { kind: 'password', password }
    }
    const key = keyId === null ? null : await this.#options.keys.privateKey(keyId)
    return key === null ? sealed('ssh_key_id') : { kind: 'key', key }
  }

  async #addressOf(host: string): Promise<string> {
    try {
      return await this.#options.destinations.addressOfHost(host)
    } catch (error) {
      if (!(error instanceof DestinationError) || error.code === 'NO_ADDRESS') throw error
      throw new SshError('SSH_DESTINATION', `${host}: ${error.message}`, { cause: error })
    }
  }

  /** A machine that shows another key than the one that is pinned is told of once. */
  #alarm({ serverId, name }: Server, { hostKey: pinned }: SshPlace, seen: string): void {
    if (pinned === null || seen === pinned) return
    const about = `${pinned} ${seen}`
    if (this.#alarms.get(serverId) === about) return
    this.#alarms.set(serverId, about)
    const { log, audit } = this.#options.host
    log.warn({ server: name, seen }, 'the machine of a database shows another key: nothing is told to it')
    audit({
      kind: 'monitored_server.host_key_changed',
      actor: 'coordinator',
      subject: name,
      detail: { pinned, seen },
    })
  }
}

function sealed(field: string): never {
  throw new SshError(
    'SSH_LOGIN',
    `${field}: it is gone, or was sealed under another BOSON_VAULT_KEY: give it again`,
  )
}
