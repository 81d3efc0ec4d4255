/**
 * One link by the agent's own UDP socket. A new attempt runs beside the pair that carries; the older one is left when
 * the newer has won.
 *
 *   punch ─▶ trying ── won ─▶ carrying ── lost, slower, another network ─▶ none (the relay carries)
 *               └──── over ─▶ failed
 */
import type { Clock, Timer } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { isSlower, isTooSlow, slowSince } from '../../mesh/tier.js'
import { type Endpoint, endpointText } from '../../protocol/address.js'
import type { WireOf } from '../../protocol/messages.js'
import type { StunMessage } from '../../turn/codec.js'
import type { LinkWay, PathWord, Peer, WayHost } from '../ports.js'
import type { Disbelief } from './checks.js'
import type { Base, Pair } from './pair.js'
import { Pairs } from './pairs.js'
import { Punch, SETTLE_MS } from './punch.js'
import { readCandidate } from './reach.js'
import type { RelayLease } from './shared-relay.js'
import { IDLE_MS, Watch } from './watch.js'

export interface UdpLinkOptions {
  readonly clock: Clock
  readonly random: Random
  readonly link: number
  readonly host: WayHost
  /** The socket itself. */
  readonly base: Base
  /** Where this end may be reached, without TURN; asks the STUN servers again. */
  readonly candidates: () => readonly string[]
  readonly refresh: () => void
  /** Takes an address on a TURN server. */
  readonly takeRelay: () => RelayLease
  readonly reachable: (endpoint: Endpoint) => boolean
  readonly doubted: (why: Disbelief | 'unexpected') => void
  readonly closed: () => void
}

type Outcome = WireOf<'path.attempt'>['outcome']
type Cause = NonNullable<WireOf<'path.attempt'>['cause']>

interface Trying {
  readonly pairs: Pairs
  readonly punch: Punch
  /** The peer's candidates, to add them for a base that comes later. */
  readonly remotes: Set<string>
  /** The TURN server: not asked, asked, or there. */
  relay: 'none' | 'asked' | Base
}

interface Carrying {
  readonly pairs: Pairs
  readonly watch: Watch
  pair: Pair
  slowSinceMs: number | null
}

/** An attempt that lasts longer was asked for by mistake, ms. */
const TRY_MAX_MS = 10_000
/** Checks without traffic come no closer than this, ms, however short the NAT's memory seems. */
const IDLE_MIN_MS = 4_000
/** What the wire takes of the list of pairs. */
const TRIED_MAX = 16
const TRIED_TEXT_MAX = 160

export class UdpLink implements LinkWay {
  readonly #options: UdpLinkOptions
  #trying: Trying | null = null
  #carrying: Carrying | null = null
  /** The newest attempt that this end has spoken of, to say it again. */
  #said: WireOf<'path.attempt'> | null = null
  #revision = 0
  #idleMs = IDLE_MS
  #lease: RelayLease | null = null
  #relayCandidate: string | null = null
  #sooner: Timer | undefined
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
    const carrying = this.#carrying
    return carrying !== null && carrying.watch.isInDoubt(carrying.pair, this.#options.clock.now())
  }

  send(packet: Uint8Array): void {
    const carrying = this.#carrying
    if (carrying === null) return
    carrying.watch.sent(this.#options.clock.now())
    carrying.pair.base.socket.send(packet, carrying.pair.remote)
  }

  hear(word: PathWord): void {
    if (word.type === 'path.punch') this.#begin(word)
    else if (word.type === 'path.signal') this.#learn(word.candidates)
    else if (word.type === 'path.settled') this.#settled(word)
  }

  /** Says again what holds, as the coordinator may have forgotten it. */
  introduced(_peer: Peer): void {
    if (this.#revision > 0) this.#sayCandidates()
    if (this.#carrying !== null && this.#said !== null) this.#options.host.say(this.#said)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#options.clock.clearTimeout(this.#sooner)
    this.#trying?.pairs.close()
    this.#carrying?.pairs.close()
    this.#trying = null
    this.#carrying = null
    this.#letRelayGo()
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

  /** Takes a check or an answer; returns whether it was for this link. */
  hearStun(message: StunMessage, from: Endpoint, base: Base, attempt: number | null): boolean {
    const nowMs = this.#options.clock.now()
    const { doubted } = this.#options
    for (const each of [this.#trying, this.#carrying]) {
      if (each === null || !(attempt === null ? each.pairs.awaits(message) : each.pairs.attempt === attempt))
        continue
      const news = each.pairs.hear(message, from, base)
      if (news !== null && each === this.#trying) {
        this.#trying.punch.heard(news, nowMs)
        this.#tickTrying(nowMs)
        if (news.what === 'answered') this.#tickIn(SETTLE_MS[news.pair.tier])
      }
      return true
    }
    doubted('unexpected')
    return true
  }

  tick(nowMs: number): void {
    this.#tickTrying(nowMs)
    this.#tickCarrying(nowMs)
  }

  /** Addresses that were in use are not this machine's any more. */
  networkChanged(): void {
    this.#lose('network_changed')
    if (this.#trying !== null) this.#fail(this.#trying, 'network_changed')
    this.#letRelayGo()
  }

  /** The network may have changed: looks at once whether the pair is alive. */
  look(): void {
    if (this.#carrying !== null) this.#carrying.pairs.check(this.#carrying.pair)
  }

  // ── an attempt ─────────────────────────────────────────────────────────────────────────────────

  #begin({ attempt, key, controlling, startInMs, tryForMs, candidates }: WireOf<'path.punch'>): void {
    const { clock, random, link, host, base, reachable, doubted, refresh } = this.#options
    this.#trying?.pairs.close()
    const startMs = clock.now() + startInMs
    const pairs = new Pairs({
      clock,
      random,
      link,
      attempt,
      key,
      controlling,
      reachable: endpoint => reachable(endpoint),
      received: (packet, tier) => {
        this.#carrying?.watch.heard(clock.now())
        host.deliver(packet, tier)
      },
      doubted,
    })
    const punch = new Punch({
      pairs,
      controlling,
      startMs,
      untilMs: startMs + Math.min(tryForMs, TRY_MAX_MS),
    })
    this.#trying = { pairs, punch, remotes: new Set(), relay: 'none' }
    if (base.socket.local().length === 0) return this.#fail(this.#trying, 'no_socket')
    refresh()
    this.#learn(candidates)
    this.#tickIn(startInMs)
  }

  #learn(candidates: readonly string[]): void {
    const trying = this.#trying
    if (trying === null) return
    for (const text of candidates) {
      if (trying.remotes.has(text)) continue
      trying.remotes.add(text)
      this.#pair(trying, text)
    }
  }

  /** Pairs a candidate of the peer with what we have. */
  #pair({ pairs, relay }: Trying, text: string): void {
    const { base, host } = this.#options
    const candidate = readCandidate(text)
    if (candidate === null || (candidate.type === 'relay' && host.policy === 'direct-only')) return
    pairs.add(base, candidate.endpoint, candidate.type)
    // A TURN server reaches what the world reaches.
    if (typeof relay !== 'string' && candidate.type !== 'host')
      pairs.add(relay, candidate.endpoint, candidate.type)
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
    trying.pairs.sweep()
    trying.punch.tick(nowMs)
    const state = trying.punch.stateAt(nowMs)
    if (state === 'stuck') this.#askForRelay(trying)
    if (state === 'over') this.#fail(trying, trying.pairs.all.length === 0 ? 'no_candidates' : 'no_answer')
    if (trying.punch.won !== null) this.#win(trying, trying.punch.won, nowMs)
  }

  #askForRelay(trying: Trying): void {
    const { host, takeRelay } = this.#options
    const mayTurn = host.policy !== 'direct-only' && this.tier === null
    if (trying.relay !== 'none' || !mayTurn) return
    trying.relay = 'asked'
    this.#lease ??= takeRelay()
    void this.#lease.base.then(relay => {
      if (relay === null || trying !== this.#trying) return
      trying.relay = relay
      const [at] = relay.socket.local()
      if (at !== undefined) this.#relayCandidate = `relay ${endpointText(at)}`
      for (const text of trying.remotes) this.#pair(trying, text)
      // The peer has to open its NAT for the relayed address.
      this.signal()
    })
  }

  #win(trying: Trying, pair: Pair, nowMs: number): void {
    const { host } = this.#options
    this.#trying = null
    const { attempt } = trying.pairs
    const isWorse =
      (pair.tier === 'turned' && this.tier === 'direct' && !this.isInDoubt) ||
      isSlower({ own: pair.rttMs, relayed: host.relayedRttMs() })
    if (isWorse) {
      this.#say(attempt, 'failed', { cause: 'slower', pair, pairs: trying.pairs })
      trying.pairs.close()
      return
    }
    this.#carrying?.pairs.close()
    this.#carrying = {
      pairs: trying.pairs,
      watch: new Watch(nowMs, this.#idleMs),
      pair,
      slowSinceMs: null,
    }
    this.#say(attempt, pair.tier, { pair, pairs: trying.pairs })
    if (pair.base.type !== 'relay') this.#letRelayGo()
  }

  #fail(trying: Trying, cause: Cause): void {
    this.#trying = null
    this.#say(trying.pairs.attempt, 'failed', { cause, pairs: trying.pairs })
    trying.pairs.close()
    if (this.tier !== 'turned') this.#letRelayGo()
  }

  // ── what carries ───────────────────────────────────────────────────────────────────────────────

  #tickCarrying(nowMs: number): void {
    const carrying = this.#carrying
    if (carrying === null) return
    const { pairs, watch } = carrying
    pairs.sweep()
    if (watch.isInDoubt(carrying.pair, nowMs)) this.#moveOn(carrying, nowMs)
    if (watch.isLost(carrying.pair, nowMs)) {
      // A NAT that forgot the mapping between two checks will do so again.
      if (!watch.isBusy(nowMs)) this.#idleMs = Math.max(IDLE_MIN_MS, this.#idleMs / 2)
      return this.#lose('silent')
    }
    const trips = { own: carrying.pair.rttMs, relayed: this.#options.host.relayedRttMs() }
    carrying.slowSinceMs = slowSince(carrying.slowSinceMs, trips, nowMs)
    if (isTooSlow(carrying.slowSinceMs, nowMs)) return this.#lose('slower')
    if (watch.isCheckDue(carrying.pair, nowMs)) pairs.check(carrying.pair)
  }

  /** The peer's NAT gave it another address: what it has checked from there, and we have checked back, carries on. */
  #moveOn(carrying: Carrying, nowMs: number): void {
    const { pairs, pair } = carrying
    const alive = pairs.all.filter(
      each => each !== pair && each.unanswered === 0 && nowMs - (each.lastAnswerMs ?? -FRESH_MS) < FRESH_MS,
    )
    const [next] = alive.sort((one, other) => (other.lastAnswerMs ?? 0) - (one.lastAnswerMs ?? 0))
    if (next === undefined) return
    carrying.pair = next
    this.#say(pairs.attempt, next.tier, { pair: next, pairs })
  }

  /** What this end carried is over: the relay carries at once. */
  #lose(cause: Cause): void {
    const lost = this.#carrying
    if (lost === null) return
    this.#carrying = null
    this.#say(lost.pairs.attempt, 'lost', { cause, pair: lost.pair, pairs: lost.pairs })
    lost.pairs.close()
    this.#letRelayGo()
  }

  /** The coordinator knows of both ends: when it says that this way does not carry, the peer has left it. */
  #settled({ tier }: WireOf<'path.settled'>): void {
    const carrying = this.#carrying
    if (carrying === null || tier === 'direct' || tier === 'turned') return
    this.#carrying = null
    carrying.pairs.close()
    this.#letRelayGo()
  }

  // ── what is said ───────────────────────────────────────────────────────────────────────────────

  #sayCandidates(): void {
    const { host, link, candidates } = this.#options
    host.say({
      type: 'path.signal',
      link,
      revision: this.#revision,
      candidates: [...candidates(), ...(this.#relayCandidate === null ? [] : [this.#relayCandidate])],
    })
  }

  #say(
    attempt: number,
    outcome: Outcome,
    { cause, pair, pairs }: { readonly cause?: Cause; readonly pair?: Pair; readonly pairs: Pairs },
  ): void {
    const { host, link } = this.#options
    this.#said = {
      type: 'path.attempt',
      link,
      attempt,
      via: 'udp',
      outcome,
      ...(pair !== undefined && {
        local: this.#localOf(pair),
        remote: `${pair.type} ${endpointText(pair.remote)}`,
      }),
      ...(pair !== undefined && pair.rttMs !== null && { rttMs: pair.rttMs }),
      ...(cause !== undefined && { cause }),
      tried: pairs.all.slice(0, TRIED_MAX).map(fateOf),
    }
    host.say(this.#said)
  }

  /** This end of a pair, as the peer sees it. */
  #localOf({ base, mapped }: Pair): string {
    const own = base.socket.local()
    if (base.type === 'relay') return `relay ${endpointText(own[0] ?? NOWHERE)}`
    const seen = endpointText(mapped ?? own[0] ?? NOWHERE)
    return own.some(each => endpointText(each) === seen) ? `host ${seen}` : `srflx ${seen}`
  }

  #letRelayGo(): void {
    this.#lease?.release()
    this.#lease = null
    this.#relayCandidate = null
  }
}

/** An answer this young shows that a pair is alive, ms. */
const FRESH_MS = 2_000
/** Only for a socket that was closed meanwhile. */
const NOWHERE: Endpoint = { address: '0.0.0.0', port: 9 }

function fateOf({ base, remote, type, sent, rttMs }: Pair): string {
  const from = base.type === 'relay' ? 'by TURN to ' : ''
  const fate = rttMs === null ? `no answer to ${sent} checks` : `answered in ${rttMs.toFixed(1)} ms`
  return `${from}${type} ${endpointText(remote)}: ${fate}`.slice(0, TRIED_TEXT_MAX)
}
