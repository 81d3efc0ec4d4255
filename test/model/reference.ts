/**
 * The simple model that the mesh is held to. It knows who runs, who is cut off and since when, and from that
 * alone what the coordinator may show of each identity:
 *
 *   not let in   gone, at once and whatever else is so
 *   way whole    for long: online          for a while: anything, the agent is coming back
 *   way broken   the coordinator was told: suspended, and gone when the window has closed
 *                silently: online, then lapsed, then suspended, then gone
 */
import { TIMING } from '../../src/protocol/timing.js'

export type Presence = 'absent' | 'online' | 'lapsed' | 'suspended'
type Presences = readonly Presence[]

/** An agent whose way is whole is online again after this long: its longest back-off, and a few round trips, ms. */
export const BACK_MS = TIMING.reconnectMaxMs + 15_000
/** What is told to the coordinator has happened after this long, ms. */
const TOLD_MS = 200
/** The coordinator looks for silence this often, ms. */
const SWEEP_MS = 1_100
/** It may have been heard last just before the way broke, or a whole beat earlier, ms. */
const BEAT_SLACK_MS = TIMING.beatEveryMs + TOLD_MS
const LAPSE_MS = TIMING.lapseBeats * TIMING.beatEveryMs
const SILENCE_MS = TIMING.silenceBeats * TIMING.beatEveryMs
const WINDOW_MS = TIMING.resumeWindowMs

const ANY: Presences = ['absent', 'online', 'lapsed', 'suspended']

interface Track {
  runs: boolean
  cut: boolean
  /** Reads nothing: it will leave its socket by itself, but the coordinator still hears it for a while. */
  deaf: boolean
  /** Two processes with this identity have been about: who of them is online is anyone's guess. */
  contested: boolean
  /** It is not let in. */
  denied: boolean
  whole: boolean
  sinceMs: number
  /** The coordinator was told when the way broke. */
  told: boolean
  /** It was online, for certain, when the way broke. */
  wasOnline: boolean
  /** Whether the coordinator held a session for it when the way last changed. */
  held: 'no' | 'maybe' | 'yes'
}

export class Reference {
  /** When the coordinator was started last. */
  bootMs = 0
  readonly #tracks = new Map<string, Track>()
  #up = true
  #cut = false
  #storeAway = false

  joined(id: string, now: number): void {
    this.#change(id, now, track => {
      track.runs = true
    })
  }

  /** `online`: it could say goodbye, if it was heard. */
  left(id: string, now: number, online: boolean): void {
    this.#change(id, now, track => {
      if (online && track.whole) track.held = 'no'
      track.runs = false
    })
  }

  killed(id: string, now: number): void {
    this.#change(id, now, track => {
      track.runs = false
    })
  }

  dropped(id: string, now: number): void {
    this.#change(id, now, () => {})
  }

  contested(id: string, now: number): void {
    this.#change(id, now, track => {
      track.contested = true
    })
  }

  /** One process is left, or none; who was there last is anyone's guess. */
  uncontested(id: string, now: number): void {
    this.#change(id, now, track => {
      track.contested = false
      track.held = 'maybe'
      track.told = true
      track.sinceMs = now
    })
  }

  cut(id: string, cut: boolean, now: number): void {
    this.#change(id, now, track => {
      track.cut = cut
    })
  }

  deaf(id: string, deaf: boolean, now: number): void {
    this.#change(id, now, track => {
      track.deaf = deaf
    })
  }

  denied(id: string, denied: boolean, now: number): void {
    this.#change(id, now, track => {
      track.denied = denied
    })
  }

  coordinatorCut(cut: boolean, now: number): void {
    this.#changeAll(now, () => {
      this.#cut = cut
    })
  }

  coordinatorDown(now: number): void {
    this.#changeAll(now, () => {
      this.#up = false
    })
  }

  coordinatorUp(now: number): void {
    this.bootMs = now
    this.#changeAll(now, () => {
      this.#up = true
      for (const track of this.#tracks.values()) track.wasOnline = false
    })
  }

  storeAway(): void {
    this.#storeAway = true
  }

  /** First contact works again: whoever waited for it may need a while. */
  storeBack(now: number): void {
    this.#storeAway = false
    for (const track of this.#tracks.values()) if (track.whole && track.held !== 'yes') track.sinceMs = now
  }

  /** Returns what the coordinator may show of the identity now. */
  expects(id: string, now: number): Presences {
    const track = this.#tracks.get(id)
    return track === undefined ? ['absent'] : this.#expectedOf(track, now)
  }

  /** Whether the identity's agent is certainly able to be online. */
  isWhole(id: string): boolean {
    return this.#tracks.get(id)?.whole === true
  }

  #expectedOf(track: Track, now: number): Presences {
    if (track.denied) return ['absent']
    if (track.contested || track.deaf) return ANY
    const forMs = now - track.sinceMs
    const mayEnter = track.held === 'yes' || !this.#storeAway
    if (track.whole) return forMs >= BACK_MS && mayEnter ? ['online'] : ANY
    if (track.held === 'no' && forMs > TOLD_MS) return ['absent']
    return this.bootMs >= track.sinceMs || track.told
      ? this.#suspended(track, now)
      : this.#silent(track, now, forMs)
  }

  #suspended(track: Track, now: number): Presences {
    const forMs = now - Math.max(track.sinceMs, this.bootMs)
    if (forMs <= TOLD_MS) return ANY
    if (forMs > WINDOW_MS + TOLD_MS) return ['absent']
    return track.held === 'yes' && forMs < WINDOW_MS - TOLD_MS ? ['suspended'] : ['suspended', 'absent']
  }

  #silent({ held, wasOnline }: Track, now: number, forMs: number): Presences {
    if (wasOnline && forMs < LAPSE_MS - BEAT_SLACK_MS) return ['online']
    if (wasOnline && forMs < SILENCE_MS - BEAT_SLACK_MS) return ['online', 'lapsed']
    if (forMs < SILENCE_MS + SWEEP_MS) return ANY
    if (forMs > SILENCE_MS + SWEEP_MS + WINDOW_MS) return ['absent']
    return held === 'yes' && forMs < SILENCE_MS - BEAT_SLACK_MS + WINDOW_MS
      ? ['suspended']
      : ['suspended', 'absent']
  }

  #changeAll(now: number, change: () => void): void {
    for (const track of this.#tracks.values()) this.#settle(track, now)
    change()
    for (const track of this.#tracks.values()) this.#begin(track, now)
  }

  #change(id: string, now: number, change: (track: Track) => void): void {
    let track = this.#tracks.get(id)
    if (track === undefined) {
      track = {
        runs: false,
        cut: false,
        deaf: false,
        contested: false,
        denied: false,
        whole: false,
        sinceMs: now,
        told: true,
        wasOnline: false,
        held: 'no',
      }
      this.#tracks.set(id, track)
    }
    this.#settle(track, now)
    change(track)
    this.#begin(track, now)
  }

  /** Draws the line under how things were until now. */
  #settle(track: Track, now: number): void {
    if (!this.#up) return // no window runs while there is nobody to close it
    const expected = this.#expectedOf(track, now)
    track.wasOnline = expected.length === 1 && expected[0] === 'online'
    track.held = !expected.includes('absent') ? 'yes' : expected.length === 1 ? 'no' : 'maybe'
  }

  #begin(track: Track, now: number): void {
    const heard = this.#up && !this.#cut && !track.cut
    const wasWhole = track.whole
    track.whole = heard && track.runs && !track.denied
    if (track.whole) track.sinceMs = now
    else if (wasWhole) {
      track.sinceMs = now
      track.told = heard
    } else if (heard && !track.told && now - track.sinceMs < LAPSE_MS - BEAT_SLACK_MS) {
      // A dead process behind a cut that healed: only now the coordinator is told.
      track.sinceMs = now
      track.told = true
    } else if (!heard && now - track.sinceMs <= TOLD_MS) {
      // What was just said may not have arrived.
      track.told = false
    }
  }
}
