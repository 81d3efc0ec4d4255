/**
 * One link by the agent's own UDP socket. A new attempt runs beside the pair that carries; the older one is left when
 * the newer has won.
 *
 *   punch ─▶ trying ── won ─▶ carrying ── lost, slower, another network ─▶ none (the relay carries)
 *               └──── over ─▶ failed
 */
import type { Clock, Timer } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { isSlower } from '../../mesh/tier.js'
import { type Endpoint, endpointText } from '../../protocol/address.js'
import type { WireOf } from '../../protocol/messages.js'
import type { StunMessage } from '../../turn/codec.js'
import type { LinkWay, PathWord, Peer, WayHost } from '../ports.js'
import { type Account, accountOf, type AccountOptions, type Cause } from './account.js'
import { Carrying } from './carrying.js'
import type { Disbelief } from './checks.js'
import type { Base, Pair } from './pair.js'
import { Pairs } from './pairs.js'
import { Punch, SETTLE_MS } from './punch.js'
import type { RelayLease } from './shared-relay.js'
import { Trying } from './trying.js'
import { IDLE_MS } from './watch.js'

export interface UdpLinkOptions {
  readonly clock: Clock
  readonly random: Random
  readonly link: number
  readonly host: WayHost
  /** The socket itself. */
  readonly base: Base
  /** Where this end may be reached, without TURN. */
  readonly candidates: () => readonly string[]
  /** Asks the STUN servers again. */
  readonly refresh: () => void
  /** Takes an address on a TURN server. */
  readonly takeRelay: () => RelayLease
  readonly reachable: (endpoint: Endpoint) => boolean
  readonly doubted: (why: Disbelief | 'unexpected') => void
  readonly closed: () => void
}

/** An attempt that lasts longer was asked for by mistake, ms. */
const TRY_MAX_MS = 10_000
/** Checks without traffic come no closer than this, ms, however short the NAT's memory seems. */
const IDLE_MIN_MS = 4_000
/** How long pairs are heard that this end has left: a busy coordinator's word to the peer, and more, ms. */
const LINGER_MS = 2_000

export class UdpLink implements LinkWay {
  readonly #options: UdpLinkOptions
  #trying: Trying | null = null
  #carrying: Carrying | null = null
  #revision = 0
  #idleMs = IDLE_MS
  #lease: RelayLease | null = null
  #relayCandidate: string | null = null
  #sooner: Timer | undefined
  /** Each ends what this end uses no more. */
  readonly #retired = new Set<() => void>()
  #closed = false

  constructor(options: UdpLinkOptions) {
    this.#options = options
  }

  // ── as a way ───────────────────────────────────────────────────────────────────────────────────

  get tier(): 'direct' | 'turned' | null {
    return this.#carrying?.pair.tier ?? null
  }

  get rttMs(): number | null {
    return this.#carrying?.pair.rttMs ?? null
  }

  get lossPct(): number | null {
    return this.#carrying?.pair.lossPct ?? null
  }

  get isInDoubt(): boolean {
    return this.#carrying?.isInDoubt(this.#options.clock.now()) === true
  }

  send(packet: Uint8Array): void {
    this.#carrying?.send(packet, this.#options.clock.now())
  }

  hear(word: PathWord): void {
    if (word.type === 'path.punch') this.#begin(word)
    else if (word.type === 'path.signal') this.#trying?.learn(word.candidates)
    else if (word.type === 'path.settled') this.#settled(word)
  }

  /** Says again what holds, as the coordinator may have forgotten it. */
  introduced(_peer: Peer): void {
    if (this.#revision > 0) this.#sayCandidates()
    const account = this.#carrying?.account ?? null
    if (account !== null) this.#options.host.say(account)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#options.clock.clearTimeout(this.#sooner)
    this.#trying?.pairs.close()
    this.#trying = null
    this.#leave()
    for (const end of this.#retired) end()
    this.#options.closed()
  }

  // ── as the way's own ───────────────────────────────────────────────────────────────────────────

  /** Whether time means anything to it. */
  get isAtWork(): boolean {
    return this.#trying !== null || this.#carrying !== null
  }

  /** Tells where this end may be reached, as something new. */
  signal(): void {
    const { clock } = this.#options
    // An agent that was started again is newer than what is remembered of it.
    this.#revision = Math.max(this.#revision + 1, Math.floor(clock.wallMs() / 1_000))
    this.#sayCandidates()
  }

  /** Takes a check of this link, which names its attempt, or an answer to one. */
  hearStun(message: StunMessage, from: Endpoint, base: Base, attempt: number | null): void {
    for (const each of [this.#trying, this.#carrying]) {
      if (each === null) continue
      const isTheirs = attempt === null ? each.pairs.awaits(message) : each.pairs.attempt === attempt
      if (!isTheirs) continue
      const news = each.pairs.hear(message, from, base)
      if (news !== null && each === this.#trying) {
        const nowMs = this.#options.clock.now()
        this.#trying.punch.heard(news, nowMs)
        this.#tickTrying(nowMs)
        if (news.what === 'answered') this.#tickIn(SETTLE_MS[news.pair.tier])
      }
      return
    }
    this.#options.doubted('unexpected')
  }

  tick(nowMs: number): void {
    this.#tickTrying(nowMs)
    this.#tickCarrying(nowMs)
  }

  /** Addresses that were in use are not this machine's any more. */
  networkChanged(): void {
    this.#lose('network_changed')
    if (this.#trying !== null) this.#fail(this.#trying, 'network_changed')
    this.#handBackRelay()?.release()
  }

  /** The network may have changed: looks at once whether the pair is alive. */
  look(): void {
    this.#carrying?.look()
  }

  // ── an attempt ─────────────────────────────────────────────────────────────────────────────────

  #begin({ attempt, key, controlling, startInMs, tryForMs, candidates }: WireOf<'path.punch'>): void {
    const { clock, host, base, refresh } = this.#options
    this.#trying?.pairs.close()
    const pairs = new Pairs({
      ...this.#options,
      attempt,
      key,
      controlling,
      received: (packet, tier) => {
        this.#carrying?.heard(clock.now())
        host.deliver(packet, tier)
      },
    })
    const startMs = clock.now() + startInMs
    const untilMs = startMs + Math.min(tryForMs, TRY_MAX_MS)
    const punch = new Punch({ pairs, controlling, startMs, untilMs })
    this.#trying = new Trying({ pairs, punch, base, mayTurn: host.policy !== 'direct-only' })
    if (base.socket.local().length === 0) return this.#fail(this.#trying, 'no_socket')
    refresh()
    this.#trying.learn(candidates)
    this.#tickIn(startInMs)
  }

  /** What is to happen sooner than the next round. */
  #tickIn(ms: number): void {
    const { clock } = this.#options
    clock.clearTimeout(this.#sooner)
    this.#sooner = clock.setTimeout(() => this.#tickTrying(clock.now()), ms)
  }

  #tickTrying(nowMs: number): void {
    const trying = this.#trying
    if (trying === null) return
    const { pairs, punch } = trying
    pairs.sweep()
    punch.tick(nowMs)
    const state = punch.stateAt(nowMs)
    if (state === 'stuck') this.#askForRelay(trying)
    else if (state === 'over') this.#fail(trying, pairs.all.length === 0 ? 'no_candidates' : 'no_answer')
    else if (punch.won !== null) this.#win(trying, punch.won, nowMs)
  }

  #askForRelay(trying: Trying): void {
    // What carries already is no worse.
    if (!trying.wantsRelay || this.tier !== null) return
    trying.wantsRelay = false
    this.#lease ??= this.#options.takeRelay()
    void this.#lease.base.then(relay => {
      if (relay === null || trying !== this.#trying) return
      const [at] = relay.socket.local()
      if (at !== undefined) this.#relayCandidate = `relay ${endpointText(at)}`
      trying.addRelay(relay)
      // The peer has to open its NAT for the relayed address.
      this.signal()
    })
  }

  #win(trying: Trying, pair: Pair, nowMs: number): void {
    const { pairs } = trying
    if (this.#isWorse(pair)) return this.#fail(trying, 'slower', pair)
    this.#trying = null
    const relay = pair.base.type === 'relay' ? null : this.#handBackRelay()
    if (this.#carrying === null) relay?.release()
    else this.#retire(this.#carrying.pairs, relay)
    this.#carrying = new Carrying({ pairs, pair, idleMs: this.#idleMs, nowMs })
    this.#sayCarried(this.#carrying)
  }

  /** Whether a pair is worse than what there is. */
  #isWorse({ tier, bestRttMs }: Pair): boolean {
    if (tier === 'turned' && this.tier === 'direct' && !this.isInDoubt) return true
    return isSlower({ own: bestRttMs, relayed: this.#options.host.relayedRttMs() })
  }

  #fail(trying: Trying, cause: Cause, pair?: Pair): void {
    const { pairs } = trying
    this.#trying = null
    this.#say({ pairs, outcome: 'failed', cause, ...(pair !== undefined && { pair }) })
    this.#retire(pairs, this.tier === 'turned' ? null : this.#handBackRelay())
  }

  // ── what carries ───────────────────────────────────────────────────────────────────────────────

  #tickCarrying(nowMs: number): void {
    const carrying = this.#carrying
    if (carrying === null) return
    const fate = carrying.tick(nowMs, this.#options.host.relayedRttMs())
    if (fate === 'moved') this.#sayCarried(carrying)
    else if (fate === 'silent' || fate === 'slower') this.#lose(fate)
    else if (fate === 'forgotten') {
      // A NAT that forgot the mapping between two checks will do so again.
      this.#idleMs = Math.max(IDLE_MIN_MS, this.#idleMs / 2)
      this.#lose('silent')
    }
  }

  /** What this end carried is over, says this end. */
  #lose(cause: Cause): void {
    const lost = this.#carrying
    if (lost === null) return
    this.#say({ pairs: lost.pairs, pair: lost.pair, outcome: 'lost', cause })
    this.#leave()
  }

  /** The coordinator knows of both ends: when it says that this way does not carry, the peer has left it. */
  #settled({ tier }: WireOf<'path.settled'>): void {
    if (tier !== 'direct' && tier !== 'turned' && this.#carrying !== null) this.#leave()
  }

  /** The relay carries at once. */
  #leave(): void {
    const relay = this.#handBackRelay()
    if (this.#carrying === null) relay?.release()
    else this.#retire(this.#carrying.pairs, relay)
    this.#carrying = null
  }

  /** Returns the TURN server's address as something that is not used any more, for whoever releases it. */
  #handBackRelay(): RelayLease | null {
    const lease = this.#lease
    this.#lease = null
    this.#relayCandidate = null
    return lease
  }

  /** The peer may have won by these pairs, and sends by them until it hears that this end does not: they are heard a little longer. */
  #retire(pairs: Pairs, relay: RelayLease | null): void {
    const { clock } = this.#options
    const end = () => {
      clock.clearTimeout(timer)
      this.#retired.delete(end)
      pairs.close()
      relay?.release()
    }
    const timer = clock.setTimeout(end, LINGER_MS)
    this.#retired.add(end)
  }

  // ── what is said ───────────────────────────────────────────────────────────────────────────────

  #sayCandidates(): void {
    const { host, link, candidates } = this.#options
    const relay = this.#relayCandidate === null ? [] : [this.#relayCandidate]
    host.say({
      type: 'path.signal',
      link,
      revision: this.#revision,
      candidates: [...candidates(), ...relay],
    })
  }

  #sayCarried(carrying: Carrying): void {
    const { pairs, pair } = carrying
    carrying.account = this.#say({ pairs, pair, outcome: pair.tier })
  }

  #say(account: Omit<AccountOptions, 'link'>): Account {
    const { host, link } = this.#options
    const said = accountOf({ ...account, link })
    host.say(said)
    return said
  }
}
