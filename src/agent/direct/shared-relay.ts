/** One address on a TURN server for all links that need one: allocated for the first, given up with the last. */
import type { OpenDatagrams } from '../ports.js'
import { DirectSocket, type StunEar } from './direct-socket.js'
import type { Base } from './pair.js'

/** A link's share of it. */
export interface RelayLease {
  /** null when no server gave an address. */
  readonly base: Promise<Base | null>
  release(): void
}

export interface SharedRelayOptions {
  /** Allocates; calls `lost` when the server keeps the address no more. */
  readonly open: (lost: () => void) => OpenDatagrams
  readonly heard: (base: Base) => StunEar
}

interface Shared {
  readonly base: Promise<Base | null>
  readonly socket: DirectSocket
  readonly leases: Set<RelayLease>
}

export class SharedRelay {
  readonly #options: SharedRelayOptions
  #shared: Shared | null = null

  constructor(options: SharedRelayOptions) {
    this.#options = options
  }

  take(): RelayLease {
    const shared = (this.#shared ??= this.#allocate())
    const lease: RelayLease = {
      base: shared.base,
      release: () => {
        shared.leases.delete(lease)
        if (shared.leases.size === 0) this.#end(shared)
      },
    }
    shared.leases.add(lease)
    return lease
  }

  close(): void {
    if (this.#shared !== null) this.#end(this.#shared)
  }

  #allocate(): Shared {
    const socket = new DirectSocket(this.#options.open(() => this.#end(shared)))
    const base: Base = { type: 'relay', socket }
    socket.onStun(this.#options.heard(base))
    const opened = socket.open().then(
      () => base,
      () => {
        this.#end(shared)
        return null
      },
    )
    const shared: Shared = { base: opened, socket, leases: new Set() }
    return shared
  }

  /** Pairs on it get no answers any more; whoever needs an address next asks for a new one. */
  #end(shared: Shared): void {
    shared.socket.close()
    if (this.#shared === shared) this.#shared = null
  }
}
