/**
 * An OpenSSH server of a test's own, on loopback: its keys and its configuration are in a folder that goes with the test,
 * and nobody gets in but by the key that it was made with.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, connect } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { shortFolder } from '../support/short-folder.js'
import { until } from '../support/until.js'

export interface Sshd {
  readonly port: number
  readonly user: string
  /** As `ssh-keygen -l` tells it. */
  readonly hostKey: string
  /** Path of the private key that it lets in. */
  readonly userKey: string
  /** Stops it where it stands: whoever connects waits. */
  pause(): void
  resume(): void
}

export interface SshdOptions {
  /** What stands before the key in authorized_keys: `restrict,command="…"`. */
  readonly keyOptions: string
  /** Environment of what is run there. */
  readonly env: Readonly<Record<string, string>>
}

const SSHD = '/usr/sbin/sshd'

/** Resolves with a server, or with why there is none, to be said in the name of a skipped test. */
export async function startSshd(
  t: Test,
  { keyOptions, env }: SshdOptions,
): Promise<Sshd | { readonly missing: string }> {
  if (!existsSync(SSHD)) return { missing: 'openssh-server is not installed' }
  const folder = shortFolder()
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const [hostKey, userKey] = [join(folder, 'host'), join(folder, 'user')]
  for (const path of [hostKey, userKey])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', path])
  writeFileSync(join(folder, 'authorized'), `${keyOptions} ${readFileSync(`${userKey}.pub`, 'utf8')}`)
  const config = join(folder, 'config')
  writeFileSync(
    config,
    [
      `HostKey ${hostKey}`,
      `AuthorizedKeysFile ${join(folder, 'authorized')}`,
      'AuthenticationMethods publickey',
      'PermitRootLogin yes',
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      ...Object.entries(env).map(([name, value]) => `SetEnv ${name}=${value}`),
      '',
    ].join('\n'),
  )
  // Where its unprivileged half looks at the world from; root's own package makes it at boot.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true })
  const port = await freePort()
  const sshd = spawn(SSHD, ['-D', '-e', '-f', config, '-p', String(port), '-o', 'ListenAddress=127.0.0.1'], {
    stdio: 'ignore',
  })
  t.teardown(() => {
    sshd.kill('SIGCONT')
    sshd.kill()
  })
  await until('sshd listens', () => answers(port))
  const [, print = ''] = execFileSync('ssh-keygen', ['-lf', `${hostKey}.pub`], { encoding: 'utf8' }).split(
    ' ',
  )
  return {
    port,
    user: userInfo().username,
    hostKey: print,
    userKey,
    pause: () => void sshd.kill('SIGSTOP'),
    resume: () => void sshd.kill('SIGCONT'),
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  await new Promise<void>(resolve => server.close(() => resolve()))
  return port
}

const answers = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('close', () => undefined)
    socket.unref()
    socket.on('connect', () => socket.destroy())
  })
