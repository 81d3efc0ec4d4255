/**
 * Argon2id, a few at a time: each hash takes memory and a core for a while, and strangers may ask for them. Who finds
 * too many waiting is told to come back.
 */
import { hash, parseOptions, verify } from '@node-rs/argon2'
import { unavailable } from '../../http/faults.js'
import type { Random } from '../../kit/random.js'

/**
 * The first choice of OWASP's Password Storage Cheat Sheet: 46 MiB, one pass, one lane. RFC 9106 §4 has the same way of
 * choosing: as much memory as can be afforded, then passes. Argon2id is what the package makes when nobody says.
 */
const COST = { memoryCost: 47_104, timeCost: 1, parallelism: 1 } as const

/** At once: the other threads of the process's pool are for files and names. */
const RUNNING_MAX = 2
/** Waiting for their turn: about half a second of work. */
const WAITING_MAX = 32
/** By then those have had their turn, s. */
const RETRY_AFTER_S = 2

export class Hashing {
  #running = 0
  readonly #waiting: (() => void)[] = []
  /** Of no password that anyone has. */
  readonly #decoy: Promise<string>

  constructor(random: Random) {
    this.#decoy = this.hash(Buffer.from(random.bytes(32)).toString('hex'))
    this.#decoy.catch(() => undefined) // told to whoever needs it
  }

  /** Resolves with the hash as it is kept: a PHC string. */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => hash(normal(password), COST))
  }

  /** Resolves with whether the password is the one of the hash. Of nobody's, null, it takes as long. */
  async matches(hashed: string | null, password: string): Promise<boolean> {
    const against = hashed ?? (await this.#decoy)
    return (await this.#inTurn(() => verify(against, normal(password)))) && hashed !== null
  }

  /** Whether a hash was made as one is made now. */
  isCurrent(hashed: string): boolean {
    const { memoryCost, timeCost, parallelism } = parseOptions(hashed)
    return memoryCost === COST.memoryCost && timeCost === COST.timeCost && parallelism === COST.parallelism
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= RUNNING_MAX) {
      if (this.#waiting.length >= WAITING_MAX)
        throw unavailable('too many are signing in at once', RETRY_AFTER_S)
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    } else this.#running++
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next() // takes over the place
    }
  }
}

/** The same characters may be typed as different code points (NIST SP 800-63B §5.1.1.2). */
const normal = (password: string): string => password.normalize('NFKC')
