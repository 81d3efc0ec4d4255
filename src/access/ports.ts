/**
 * What the parts of this room ask of each other. Types only.
 *
 *   payments ─→ tariffs   what was paid for is granted      ┐ in one transaction
 *   payments ─→ peers     one peer, if there is none yet    ┘
 *   tariffs, peers, accounts ─→ entitlements   something is other than before: live sessions follow
 *   peers ─→ PeerProvisioner   so that WireGuard knows them: our mesh, wg-easy, a host by SSH
 */
import type { Transaction } from 'kysely'
import type { TermsOf } from '../actors/ports.js'
import type { AccessTables } from './tables.js'

type Tx = Transaction<AccessTables>

// ── tariffs ──────────────────────────────────────────────────────────────────────────────────────

/** Decimal money as it was written, never a float: `9.90`. */
export type Amount = string

export interface Grant {
  readonly accountId: string
  readonly tariffId: number
  /** Who grants it: the name of an operator, or `payment 17`. */
  readonly by: string
}

export interface Subscriptions {
  /**
   * Gives an account a tariff: the one that runs is prolonged and its traffic added to, another one replaces it from now on.
   * Call `Entitlements.changed` when the transaction holds. Rejects with a 404 when there is no such account or tariff; one
   * that is archived is given, for it may have been paid for before.
   */
  grant(tx: Tx, grant: Grant): Promise<Granted>
  /**
   * Takes back what one grant gave, because it was paid back: its days and its traffic. A subscription with nothing left ends
   * now; one that has ended stays as it is. Call `Entitlements.changed` when the transaction holds.
   */
  withdraw(tx: Tx, withdrawal: Withdrawal): Promise<void>
}

export interface Granted {
  readonly subscriptionId: number
  /** ms since 1970 UTC. */
  readonly endsAtMs: number
  /** Whether one that ran goes on for longer; false: one begins. */
  readonly isRenewal: boolean
}

export interface Withdrawal {
  /** What `grant` gave it to. */
  readonly subscriptionId: number
  readonly tariffId: number
  /** Who takes it back: the name of an operator, or `payment 17`. */
  readonly by: string
}

// ── entitlements ─────────────────────────────────────────────────────────────────────────────────

/** What an account is entitled to now, and why not to more. */
export interface Entitlement {
  readonly state:
    | 'active'
    /** It has ended, and is let for a while longer. */
    | 'grace'
    /** Its traffic is used up, and it is slow until it is stopped. */
    | 'throttled'
    | 'used_up'
    | 'ended'
    /** It never had a tariff. */
    | 'none'
    /** The account is disabled. */
    | 'disabled'
  /** When the state becomes another by itself, ms since 1970 UTC; null: never. */
  readonly untilMs: number | null
  readonly usedBytes: number
  /** null: no limit. */
  readonly limitBytes: number | null
  readonly deviceLimit: number
}

export interface Entitlements {
  /** Reads anew what this account has, and has its live sessions follow, within a second. Never rejects. */
  changed(accountId: string): void
  /** Resolves when what was told of is in force, for whoever wants to answer only then. */
  settled(): Promise<void>
  /** Returns what an account is entitled to now, from memory. */
  of(accountId: string): Entitlement
  /** Returns what holds for a peer by its identity, as the mesh is told too; null: it is none that we know. */
  readonly termsOf: TermsOf
  /** Calls `hear` when what an account is entitled to, or one of its peers, may have become another; returns what ends it. */
  onChange(hear: (accountId: string) => void): () => void
  /** Takes note of what a peer has moved elsewhere since ever, as `source` counts: `wg-easy peer-17`. The count only grows; see wireguard/counters.ts. */
  charge(source: string, peerId: number, totalBytes: number): void
}

// ── peers ────────────────────────────────────────────────────────────────────────────────────────

export interface PeerWish {
  readonly accountId: string
  /** Of the client's own making, 32 bytes; null: we make one, if the key policy lets us. */
  readonly publicKey: Uint8Array | null
  readonly name: string
  /** Who wants it. */
  readonly by: string
}

export interface Peers {
  /**
   * Makes sure that the account has a peer: the oldest that it has, or a new one, which is set up when the transaction holds
   * (call `wake` then). However often and by however many at once it is asked, there is one.
   */
  ensure(tx: Tx, wish: PeerWish): Promise<{ readonly peerId: number; readonly isNew: boolean }>
  /** Sets up what waits to be set up. Returns at once. */
  wake(): void
}

// ── where WireGuard runs ─────────────────────────────────────────────────────────────────────────

/** A peer as it is to be. */
export interface WantedPeer {
  readonly peerId: number
  /** Under which it goes in the mesh: `peer-17`. */
  readonly identityId: string
  readonly name: string
  /** 32 bytes; null: it is made where the peer is. */
  readonly publicKey: Uint8Array | null
  /** Addresses that it has had so far, without prefix length; null: it is given some. */
  readonly overlay4: string | null
  readonly overlay6: string | null
  /** What the other side calls it; null: it has not been there yet. */
  readonly externalId: string | null
  /** Whether it may carry anything now. */
  readonly enabled: boolean
}

/** A peer as it is. */
export interface ProvisionedPeer {
  readonly publicKey: Uint8Array
  /** Base64, where it was made on the other side: told until we have said its `externalId`, in case an answer was lost. */
  readonly privateKey: string | null
  readonly presharedKey: string | null
  readonly overlay4: string
  readonly overlay6: string | null
  readonly externalId: string | null
}

/** What a WireGuard configuration needs to know of the other end. */
export interface PeerServer {
  /** Base64. */
  readonly publicKey: string
  /** `host:port`. */
  readonly endpoint: string
  readonly allowedIps: readonly string[]
  readonly dns: readonly string[]
}

/** Makes peers known where WireGuard runs. Each call may reject, and is bounded in time; it is tried again then. */
export interface PeerProvisioner {
  readonly name: 'mesh' | 'wg-easy' | 'ssh'
  /** Makes it so, from whatever there is; asking again changes nothing. */
  apply(peer: WantedPeer): Promise<ProvisionedPeer>
  /** It is gone afterwards, also when it never was. */
  remove(peer: WantedPeer): Promise<void>
  /** Resolves with the other end; null: the mesh's agent finds one by itself. */
  server(): Promise<PeerServer | null>
  /** Resolves with the peers that are there now, by public key in base64, and whether each may carry; absent: nobody can tell. */
  present?(): Promise<ReadonlyMap<string, boolean>>
  /** Takes away what is ours there and belongs to no peer; resolves with how many there were. Absent: nobody can tell. */
  tidy?(): Promise<number>
  /** Resolves with the bytes that each peer has moved since ever, by public key in base64; absent: our own mesh counts. */
  usage?(): Promise<ReadonlyMap<string, number>>
}

/** What the other side will never do, however often it is asked: `reason` is for operators. */
export interface ProvisionRefused extends Error {
  readonly code: 'PROVISION_REFUSED'
}
