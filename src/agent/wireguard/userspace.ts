/** WireGuard without the kernel's module: wireguard-go as a child process that holds the interface. */
import { spawn, type ChildProcess } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { SystemError } from '../system/errors.js'
import { toolEnvironment, toolMissing, type Run } from '../system/run.js'

/** How long wireguard-go may take to make its interface, ms; it takes about 30 where the cores are idle. */
const READY_MS = 15_000
/** How long it may take to end, ms. */
const END_MS = 2_000
/** Where it takes orders, in a socket for each interface. */
const SOCKETS = '/var/run/wireguard'

export class Userspace {
  readonly #child: ChildProcess
  /** Resolves when the process is gone, with what it said last. */
  readonly ended: Promise<string>

  private constructor(child: ChildProcess) {
    this.#child = child
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-500)
    })
    this.ended = new Promise(resolve => {
      child.once('error', error => resolve(String(error)))
      // Not `exit`, which may come before the last words. Where the kernel could have WireGuard of its own, they
      // begin with a notice in a box.
      child.once('close', (code, signal) => {
        const words = said.split('\n').filter(line => line !== '' && !/[─│]/.test(line))
        resolve(words.at(-1) ?? `ended with ${signal ?? code}`)
      })
    })
  }

  /** Starts wireguard-go and resolves when the interface `name` answers. */
  static async start(name: string, run: Run): Promise<Userspace> {
    // A session of its own: Ctrl-C in the terminal is for the agent, which then takes the interface down.
    const child = spawn('wireguard-go', ['-f', name], {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...toolEnvironment(), LOG_LEVEL: 'error' },
    })
    const userspace = new Userspace(child)
    let missing = false
    child.once('error', (error: NodeJS.ErrnoException) => (missing = error.code === 'ENOENT'))
    const gone = userspace.ended.then(said => ({ said }))
    const giveUp = performance.now() + READY_MS
    for (;;) {
      const end = await Promise.race([gone, wait(20, null)])
      if (missing) throw toolMissing('wireguard-go')
      if (end !== null) throw notMade(name, end.said)
      if ((await takesOrders(name)) && (await answers(name, run))) return userspace
      if (performance.now() > giveUp) {
        await userspace.stop()
        throw notMade(name, `no answer within ${READY_MS} ms`)
      }
    }
  }

  /** Ends the process, and with it the interface. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGTERM')
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), END_MS)
    await this.ended
    clearTimeout(killer)
  }
}

/**
 * Returns whether wireguard-go takes orders for an interface. Ask before `wg`: for a moment the socket is there and
 * nobody listens; `wg` takes that for what a dead process has left and removes it, and wireguard-go ends.
 */
export const takesOrders = (name: string): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(`${SOCKETS}/${name}.sock`, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

const answers = (name: string, run: Run): Promise<boolean> =>
  run('wg', ['show', name, 'listen-port']).then(
    () => true,
    () => false,
  )

function notMade(name: string, said: string): SystemError {
  return /not permitted|permission denied/i.test(said)
    ? new SystemError(
        'not_permitted',
        `wireguard-go may not make the interface ${name}: ${said}; run as root, or give the process CAP_NET_ADMIN and access to /dev/net/tun`,
      )
    : new SystemError('command_failed', `wireguard-go did not make the interface ${name}: ${said}`)
}
