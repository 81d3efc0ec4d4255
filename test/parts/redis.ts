/** A Redis server of a test's own on loopback, gone when the test ends. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import type { Test } from 'tap'
import { freePort } from '../support/boson.js'

export interface Redis {
  readonly url: string
  start(): void
  /** Stops the process where it stands: connections stay open, answers stay away. */
  pause(): void
  resume(): void
  /** Ends the server as a crash would; resolves when it is gone. */
  stop(): Promise<void>
}

/** Resolves with a server, or with why there is none, to be said in the name of a skipped test. */
export async function startRedis(t: Test): Promise<Redis | { readonly missing: string }> {
  if (spawnSync('redis-server', ['--version']).error !== undefined)
    return { missing: 'Redis is not installed' }
  const port = await freePort()
  const dir = t.testdir()
  let server: ChildProcess | undefined
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir]
  const start = () => {
    server = spawn('redis-server', settings, { stdio: 'ignore' })
  }
  const stop = async () => {
    const ending = server
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return
    const gone = new Promise(resolve => ending.once('exit', resolve))
    ending.kill('SIGKILL')
    await gone
  }
  start()
  t.teardown(stop)
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    pause: () => void server?.kill('SIGSTOP'),
    resume: () => void server?.kill('SIGCONT'),
    stop,
  }
}
