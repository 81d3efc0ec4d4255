/**
 * Addresses of peers on a host whose WireGuard gives none: the lowest free ones of a pool, in SQL, one at a time. The
 * first address of a pool is the interface's own.
 */
import { sql, type Transaction } from 'kysely'
import { ipBytes, ipText } from '../../protocol/address.js'
import { network } from '../../protocol/network.js'
import type { Room } from '../../store/rooms.js'
import type { AccessTables } from '../tables.js'
import { HostError } from './errors.js'

export interface PeerAddresses {
  readonly overlay4: string
  readonly overlay6: string | null
}

/** The network itself is 0, and the interface's own address 1. */
const FIRST = 2

export class Addresses {
  readonly #room: Room<AccessTables>
  readonly #pool4: Buffer
  readonly #pool6: Buffer | null
  /** The last that a peer may have; the one after it is for broadcasts. */
  readonly #last: number

  /** `pool6` null: peers have no IPv6. */
  constructor(room: Room<AccessTables>, pool4: string, pool6: string | null) {
    const { bytes, bits } = network(pool4)
    this.#room = room
    this.#pool4 = masked(bytes, bits)
    this.#pool6 = pool6 === null ? null : masked(network(pool6).bytes, network(pool6).bits)
    this.#last = 2 ** (32 - bits) - 2
  }

  /** Resolves with the addresses of a peer: those that it has, or new ones, which are its own from now on. */
  async of(peerId: number, isTaken: (overlay4: string) => boolean): Promise<PeerAddresses> {
    const found = await this.#room.transact(async tx => {
      await lock(tx)
      const peer = await tx
        .selectFrom('peers')
        .select(['overlay4', 'overlay6'])
        .where('peer_id', '=', peerId)
        .executeTakeFirst()
      if (peer === undefined) return 'no peer'
      if (peer.overlay4 !== null) return { overlay4: peer.overlay4, overlay6: peer.overlay6 }
      const addresses = this.#lowest(await takenIn(tx), isTaken)
      if (addresses === null) return 'no address'
      await tx.updateTable('peers').set(addresses).where('peer_id', '=', peerId).execute()
      return addresses
    })
    if (found === 'no peer') throw new HostError('PROVISION_REFUSED', `there is no peer ${peerId}`)
    if (found === 'no address')
      throw new HostError('SSH_SETTINGS', 'WG_POOL4: all of its addresses are given')
    return found
  }

  #lowest(taken: ReadonlySet<string>, isTaken: (overlay4: string) => boolean): PeerAddresses | null {
    for (let i = FIRST; i <= this.#last; i++) {
      const overlay4 = plus(this.#pool4, i)
      if (taken.has(overlay4) || isTaken(overlay4)) continue
      return { overlay4, overlay6: this.#pool6 === null ? null : plus(this.#pool6, i) }
    }
    return null
  }
}

/** Those of removed peers too, until the host has forgotten them. */
async function takenIn(tx: Transaction<AccessTables>): Promise<ReadonlySet<string>> {
  const rows = await tx
    .selectFrom('peers')
    .select('overlay4')
    .where('provisioner', '=', 'ssh')
    .where('overlay4', 'is not', null)
    .where(eb => eb.or([eb('removed_at', 'is', null), eb('due_at', 'is not', null)]))
    .execute()
  return new Set(
    rows.flatMap(({ overlay4 }) => {
      const ip = ipBytes(overlay4 ?? '')
      return ip === null ? [] : [ipText(ip)]
    }),
  )
}

/** Everyone who gives addresses takes turns, whichever coordinator it is. */
async function lock(tx: Transaction<AccessTables>): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || '.peer_addresses', 0))`.execute(
    tx,
  )
}

function masked(bytes: Buffer, bits: number): Buffer {
  return Buffer.from(bytes.map((byte, i) => byte & ~(0xff >> Math.min(8, Math.max(0, bits - 8 * i)))))
}

/** Returns the address so many after a network, whose last 32 bits have room for it. */
function plus(base: Buffer, index: number): string {
  const ip = Buffer.from(base)
  ip.writeUInt32BE((ip.readUInt32BE(ip.length - 4) + index) >>> 0, ip.length - 4)
  return ipText(ip)
}
