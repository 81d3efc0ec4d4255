/**
 * What the machine of one server last told of its file systems. It is asked while the database is looked at, and whatever
 * has come by then is told: SSH keeps no look waiting.
 */
import type { Disks, Server } from '../ports.js'
import type { Disk } from './forms.js'

export interface DiskSight {
  readonly disks: Disk[] | null
  /** Why there are none; null: there are. */
  readonly why: string | null
}

const NOT_YET: DiskSight = { disks: null, why: 'its machine has not answered yet' }
const NO_WAY: DiskSight = { disks: null, why: 'nobody has said how its machine is reached by SSH' }

export class DiskEye {
  readonly #disks: Disks
  #seen = NOT_YET
  #asking = false

  constructor(disks: Disks) {
    this.#disks = disks
  }

  get seen(): DiskSight {
    return this.#seen
  }

  /** Asks, unless it does so already. `dataDirectory`: null when the server does not tell it. */
  ask(server: Server, dataDirectory: string | null): void {
    if (this.#asking) return
    this.#asking = true
    void this.#ask(server, dataDirectory ?? undefined).then(seen => {
      this.#seen = seen
      this.#asking = false
    })
  }

  async #ask(server: Server, dataDirectory: string | undefined): Promise<DiskSight> {
    try {
      const disks = await this.#disks.of(server, dataDirectory)
      return disks === null ? NO_WAY : { disks: [...disks], why: null }
    } catch (error) {
      return { disks: null, why: error instanceof Error ? error.message : String(error) }
    }
  }
}
