/**
 * The file systems of machines, at most 30 s old. One command at a time goes to each, whoever asks; one that fails is left
 * alone for a while, ever longer, and meanwhile everybody hears why.
 */
import type { Clock } from '../../kit/clock.js'
import { SshError } from '../../ssh/errors.js'
import type { SshHost } from '../../ssh/ssh-host.js'
import type { Disk } from '../figures/forms.js'
import type { Disks, Server, SshPlace } from '../ports.js'
import { DF, DF_MAX, disksOf, type FileSystem, readFileSystems } from './file-systems.js'

export interface ServerDisksOptions {
  readonly clock: Clock
  readonly open: (server: Server, ssh: SshPlace) => Promise<Pick<SshHost, 'run'>>
}

export interface SeenDisks {
  readonly disks: readonly Disk[]
  readonly askedAtMs: number
}

const KEPT_MS = 30_000
const REST_MAX_MS = 300_000

interface Seen {
  readonly rows: readonly FileSystem[]
  /** By `Clock.now`, and since 1970 UTC. */
  readonly nowMs: number
  readonly atMs: number
}

/** What is known of a machine, as long as nobody says anything else of its server. */
interface Machine {
  readonly revision: number
  seen: Seen | null
  asking: Promise<Seen> | null
  fault: { readonly error: unknown; readonly untilMs: number } | null
  /** In a row. */
  faults: number
}

export class ServerDisks implements Disks {
  readonly #options: ServerDisksOptions
  readonly #machines = new Map<number, Machine>()
  readonly #dataDirectories = new Map<number, string>()

  constructor(options: ServerDisksOptions) {
    this.#options = options
  }

  async of(server: Server, dataDirectory?: string): Promise<readonly Disk[] | null> {
    if (dataDirectory !== undefined) this.#dataDirectories.set(server.serverId, dataDirectory)
    return (await this.seenOf(server))?.disks ?? null
  }

  /** Resolves with the same, and when the machine was asked. */
  async seenOf(server: Server): Promise<SeenDisks | null> {
    const { ssh, isEnabled, serverId } = server
    if (ssh === null || !isEnabled) return null
    if (ssh.hostKey === null)
      throw new SshError(
        'SSH_HOST_KEY_UNKNOWN',
        'nobody has said yet by which key its machine is known: test-ssh shows which one it is, and pins it',
      )
    const { rows, atMs } = await this.#rowsOf(server, ssh)
    return { disks: disksOf(rows, this.#dataDirectories.get(serverId) ?? null), askedAtMs: atMs }
  }

  /** A machine may be otherwise than it was: it is asked anew. */
  forget(serverId: number): void {
    this.#machines.delete(serverId)
  }

  async #rowsOf(server: Server, ssh: SshPlace): Promise<Seen> {
    const { clock } = this.#options
    const machine = this.#machineOf(server)
    const { seen, asking, fault } = machine
    if (seen !== null && clock.now() - seen.nowMs < KEPT_MS) return seen
    if (asking !== null) return asking
    if (fault !== null && clock.now() < fault.untilMs) throw fault.error
    machine.asking = this.#ask(server, ssh, machine).finally(() => {
      machine.asking = null
    })
    return machine.asking
  }

  #machineOf({ serverId, revision }: Server): Machine {
    const known = this.#machines.get(serverId)
    if (known?.revision === revision) return known
    const machine: Machine = { revision, seen: null, asking: null, fault: null, faults: 0 }
    this.#machines.set(serverId, machine)
    return machine
  }

  async #ask(server: Server, ssh: SshPlace, machine: Machine): Promise<Seen> {
    const { clock, open } = this.#options
    try {
      const host = await open(server, ssh)
      const { output, complaint } = await host.run({ command: DF, input: '', outputMax: DF_MAX })
      // It complains of each file system that it may not look at, and tells of the others.
      if (output === '' && complaint !== '')
        throw new SshError('SSH_ANSWER', `the host cannot run \`${DF}\`: ${complaint}`)
      const seen = { rows: readFileSystems(output), nowMs: clock.now(), atMs: clock.wallMs() }
      Object.assign(machine, { seen, fault: null, faults: 0 })
      return seen
    } catch (error) {
      const restMs = Math.min(REST_MAX_MS, KEPT_MS * 2 ** machine.faults++)
      machine.fault = { error, untilMs: clock.now() + restMs }
      throw error
    }
  }
}
