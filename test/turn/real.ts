/** A server on real sockets of this machine, and the tools of coturn where they are installed. */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Test } from 'tap'
import { systemClock } from '../../src/kit/clock.js'
import { systemRandom } from '../../src/kit/random.js'
import { EmbeddedTurn, type EmbeddedOptions } from '../../src/turn/embedded.js'

export const SECRET = 'a secret of at least thirty-two bytes'
export const LOOPBACK = '127.0.0.1'
/** Another address of this machine, for peers: the server's own address is not to be reached. */
export const PEER_ADDRESS = '127.0.0.2'

/** Starts a server on loopback, whose peers may be there too. */
export async function startTurn(t: Test, options: Partial<EmbeddedOptions> = {}): Promise<EmbeddedTurn> {
  const turn = await EmbeddedTurn.start({
    clock: systemClock,
    random: systemRandom,
    listen: [
      { transport: 'udp', address: LOOPBACK, port: 0 },
      { transport: 'tcp', address: LOOPBACK, port: 0 },
    ],
    relays: [{ address: LOOPBACK }, { address: '::1' }],
    realm: 'bosonserver',
    secrets: [SECRET],
    allowed: () => true,
    peers: { excepted: ['127.0.0.0/8', '::1'] },
    limits: { rejectionsPerSecond: 100 },
    ...options,
  })
  t.teardown(() => turn.stop())
  return turn
}

/** Returns the port of the first listener of this transport. */
export function portOf(turn: EmbeddedTurn, transport: 'udp' | 'tcp' | 'tls'): number {
  const found = turn.listeners().find(listener => listener.transport === transport)
  if (found === undefined) throw new Error(`no listener over ${transport}`)
  return found.endpoint.port
}

/** Returns why the tools of coturn cannot be used, or false. */
export function coturnMissing(...tools: readonly string[]): string | false {
  const missing = tools.filter(tool => !has(tool))
  return missing.length === 0 ? false : `${missing.join(' and ')} of coturn not installed`
}

/** Runs a tool; resolves to all it printed, also when it fails or is cut off after `withinMs`. */
export function output(tool: string, args: readonly string[], withinMs = 20_000): Promise<string> {
  return new Promise(resolve => {
    execFile(tool, args, { timeout: withinMs, killSignal: 'SIGKILL' }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    )
  })
}

/** Starts a tool that runs until the test ends. */
export function background(t: Test, tool: string, args: readonly string[]): void {
  const child = spawn(tool, args, { stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
}

/** Makes a certificate for this machine; null where openssl is not installed. */
export async function certificate(t: Test): Promise<SecureContext | null> {
  if (!has('openssl')) return null
  const folder = mkdtempSync(join(tmpdir(), 'turn-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '1',
  ]
  execFileSync('openssl', [...args, '-subj', '/CN=localhost', '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  })
  return createSecureContext({ key: readFileSync(key), cert: readFileSync(cert) })
}

function has(tool: string): boolean {
  try {
    execFileSync('/bin/sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
