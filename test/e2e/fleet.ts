/** A process with many agents, as the test that started it sees it, and as it sees the test. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'

/** Where its agents dial, and with which enrolment key. */
export interface Ground {
  readonly url: string
  readonly credential: string
}

interface Asked<C> {
  readonly ask: number
  readonly command: C
}

interface Answered {
  readonly ask: number
  readonly result?: unknown
  readonly error?: string
}

/** `Does` says for each command what is given and what comes back. */
type Calls = Readonly<Record<string, (given: never) => unknown>>
type Given<Does extends Calls, N extends keyof Does> = Parameters<Does[N]>[0]
type Result<Does extends Calls, N extends keyof Does> = Awaited<ReturnType<Does[N]>>

export class Fleet<Does extends Calls> {
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, (answer: Answered) => void>()
  #asks = 0

  /** Starts the program of this folder; it goes with the test. */
  constructor(t: Test, program: string, ground: Ground) {
    this.#process = fork(new URL(program, import.meta.url), [JSON.stringify(ground)], {
      // As it is for users: without the hooks that the test runner gives every child.
      env: { PATH: process.env['PATH'] },
      execArgv: ['--enable-source-maps'],
    })
    t.teardown(() => this.#process.kill('SIGKILL'))
    this.#process.on('message', message => {
      const answer = message as Answered // of `answering`, below
      this.#waiting.get(answer.ask)?.(answer)
      this.#waiting.delete(answer.ask)
    })
    this.#process.on('exit', (code, signal) => {
      const error = `${program} ended ${signal === null ? `with ${code}` : `by ${signal}`}`
      for (const [ask, tell] of this.#waiting) tell({ ask, error })
      this.#waiting.clear()
    })
  }

  /** Resolves to what the command came to; rejects when it failed, or when the process ended first. */
  async ask<N extends keyof Does & string>(name: N, given: Given<Does, N>): Promise<Result<Does, N>> {
    const ask = this.#asks++
    const answered = new Promise<Answered>(resolve => this.#waiting.set(ask, resolve))
    this.#process.send({ ask, command: { name, given } } satisfies Asked<unknown>)
    const { result, error } = await answered
    if (error !== undefined) throw new Error(`${name}: ${error}`)
    return result as Result<Does, N> // of the same command
  }

  /** All of its agents are gone at once. */
  async kill(): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
  }

  /** All of its agents fall silent: their sockets stay open. */
  freeze(): void {
    this.#process.kill('SIGSTOP')
  }
}

/** Answers what the test asks this process; it ends with the test. */
export function answering(does: Calls): void {
  process.on('message', message => {
    const { ask, command } = message as Asked<{ name: string; given: never }> // of `Fleet.ask`
    const say = (answer: Omit<Answered, 'ask'>) => process.send?.({ ask, ...answer } satisfies Answered)
    void Promise.resolve()
      .then(() => does[command.name]?.(command.given))
      .then(
        result => say({ result }),
        (error: unknown) => say({ error: String(error) }),
      )
  })
  process.on('disconnect', () => process.exit())
}

/** Returns what the test has given this process to start with. */
export const groundOf = (): Ground => JSON.parse(process.argv[2] ?? '') as Ground // written by `Fleet`
