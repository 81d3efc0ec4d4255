/**
 * Which peer has an address that several want. While a route moves from one exit to another, both want everything that
 * this machine sends, and WireGuard gives an address to one peer only: who has it keeps it until the newer one carries,
 * or until it goes itself.
 */
export class AddressClaims {
  readonly #wishes = new Map<string, readonly string[]>()
  /** By address: the peers that want it; the first one has it, the others follow as they came. */
  readonly #lines = new Map<string, string[]>()

  /** The peer wants these addresses and no others; returns the other peers that have more than before. */
  want(peer: string, addresses: readonly string[]): readonly string[] {
    const before = this.#wishes.get(peer) ?? []
    this.#wishes.set(peer, addresses)
    for (const address of addresses) {
      const line = this.#lines.get(address)
      if (line === undefined) this.#lines.set(address, [peer])
      else if (!line.includes(peer)) line.push(peer)
    }
    return this.#leave(
      peer,
      before.filter(address => !addresses.includes(address)),
    )
  }

  /** The peer carries: it has all that it wants. Returns the peers that have less than before. */
  take(peer: string): readonly string[] {
    const losers = new Set<string>()
    for (const address of this.#wishes.get(peer) ?? []) {
      const line = this.#lines.get(address) ?? []
      const [holder] = line
      if (holder === undefined || holder === peer) continue
      losers.add(holder)
      this.#lines.set(address, [peer, ...line.filter(each => each !== peer)])
    }
    return [...losers]
  }

  /** The peer is gone; returns the peers that have more than before. */
  drop(peer: string): readonly string[] {
    const addresses = this.#wishes.get(peer) ?? []
    this.#wishes.delete(peer)
    return this.#leave(peer, addresses)
  }

  /** Returns what the peer has of what it wants. */
  heldBy(peer: string): readonly string[] {
    return (this.#wishes.get(peer) ?? []).filter(address => this.#lines.get(address)?.[0] === peer)
  }

  clear(): void {
    this.#wishes.clear()
    this.#lines.clear()
  }

  #leave(peer: string, addresses: readonly string[]): readonly string[] {
    const heirs = new Set<string>()
    for (const address of addresses) {
      const line = this.#lines.get(address) ?? []
      const rest = line.filter(each => each !== peer)
      const [heir] = rest
      if (heir === undefined) this.#lines.delete(address)
      else this.#lines.set(address, rest)
      if (heir !== undefined && line[0] === peer) heirs.add(heir)
    }
    return [...heirs]
  }
}
