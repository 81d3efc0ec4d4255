/**
 * The way to the coordinator for people who only have what is their own: by HTTP, again and again. The socket is for those
 * who look after the mesh, and there are few.
 */
import { signal } from '@preact/signals'
import {
  type Answer,
  BACKOFF_MS,
  type Body,
  type FollowHearer,
  type LineState,
  type Method,
  type Way,
  type Who,
} from './line.js'

interface AskingOptions {
  readonly token: () => Promise<string | null>
  /** Hears when the coordinator does not take the token, and why. */
  readonly refused: (reason: string) => void
  /** Hears when the token has ended; returns whether there can be another. */
  readonly expired: () => boolean
}

interface Watch {
  readonly path: string
  readonly hear: (answer: Answer) => void
}

/** How often what is shown is asked for, ms: it changes by the minute, and each asks for a handful. */
const EVERY_MS = 10_000
/** An answer that takes longer is not waited for, ms. */
const ANSWER_MAX_MS = 15_000

export class Asking implements Way {
  readonly state = signal<LineState>({ is: 'closed' })
  /** HTTP tells whole seconds: too rough to say who is ahead. */
  readonly skewMs = 0
  readonly #options: AskingOptions
  readonly #watches = new Set<Watch>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #tries = 0

  constructor(options: AskingOptions) {
    this.#options = options
  }

  open(): void {
    if (this.state.peek().is !== 'closed') return
    this.state.value = { is: 'connecting' }
    void this.#look()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.state.value = { is: 'closed' }
  }

  async call(method: Method, path: string, body?: Body): Promise<Answer> {
    const answer = await this.#ask(method, path, body)
    // What was done shows at once.
    if (method !== 'GET') for (const watch of this.#watches) void this.#show(watch)
    return answer
  }

  watch(path: string, _everyMs: number, hear: (answer: Answer) => void): () => void {
    const watch = { path, hear }
    this.#watches.add(watch)
    if (this.state.peek().is === 'open') void this.#show(watch)
    return () => this.#watches.delete(watch)
  }

  follow(_follow: object, hear: FollowHearer): () => void {
    hear.ended('what happens in the mesh is for those who look after it')
    return () => undefined
  }

  /** Asks who one is, then for everything that is shown; and again in a while. */
  async #look(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      const { status, body } = await this.#ask('GET', '/api/v1/me')
      if (this.state.peek().is === 'closed') return
      if (status >= 400) throw new Error(`the coordinator answered with status ${status}`)
      const { name, role } = body as Pick<Who, 'name' | 'role'> // by the endpoint's description
      this.#tries = 0
      if (this.state.peek().is !== 'open')
        this.state.value = { is: 'open', who: { name, role, serverId: null, version: null } }
      await Promise.all([...this.#watches].map(watch => this.#show(watch)))
      this.#again(EVERY_MS)
    } catch (error) {
      if (this.state.peek().is === 'closed') return
      const most = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** this.#tries++)
      const why = error instanceof Error ? error.message : String(error)
      this.state.value = { is: 'away', retryAtMs: Date.now() + most, why }
      this.#again(most)
    }
  }

  /** Nobody looks at a page that is hidden. */
  #again(inMs: number): void {
    if (this.state.peek().is === 'closed') return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      if (document.hidden) this.#again(inMs)
      else void this.#look()
    }, inMs)
  }

  async #show(watch: Watch): Promise<void> {
    const answer = await this.#ask('GET', watch.path).catch(() => null)
    if (answer !== null && this.#watches.has(watch)) watch.hear(answer)
  }

  /** Resolves with an answer; rejects when there is none, or nobody is signed in any more. */
  async #ask(method: Method, path: string, body?: Body, isRenewed = false): Promise<Answer> {
    const token = await this.#options.token()
    if (token === null) throw new Error('signed out')
    const response = await fetch(path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_MAX_MS),
    }).catch(() => {
      throw new Error('the coordinator is out of reach')
    })
    const answer = { status: response.status, body: (await response.json().catch(() => null)) as unknown }
    if (answer.status !== 401) return answer
    if (!isRenewed && this.#options.expired()) return await this.#ask(method, path, body, true)
    this.#options.refused('sign in again')
    throw new Error('signed out')
  }
}
