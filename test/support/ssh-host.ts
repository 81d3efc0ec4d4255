/**
 * An SSH server in this process, and behind it a WireGuard host: what scripts/wireguard-host reads and prints, over a few
 * peers in memory. The scripts themselves are tried by a real one.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import ssh2, { type Client, type Connection, type ParsedKey, type ServerChannel } from 'ssh2'
import type { Test } from 'tap'
import { shortFolder } from './short-folder.js'

export interface HeldPeer {
  allowedIps: string
  received: number
  sent: number
  isOurs: boolean
}

/** What a command does: its exit code, and what it prints. */
export interface Outcome {
  readonly code: number
  readonly output?: string
  readonly complaint?: string
}

export const SCRIPTS = {
  apply: '/usr/local/lib/boson/wg_apply.sh',
  remove: '/usr/local/lib/boson/wg_remove.sh',
  makeKey: '/usr/local/lib/boson/wg_gen_key.sh',
} as const
export const INTERFACE = 'wg0'
export const USER = 'boson'

export class FakeSshHost {
  readonly port: number
  /** As `ssh-keygen -l` tells it. */
  readonly hostKey: string
  /** Private, of whom it lets in, and as OpenSSH writes it. */
  readonly userKey: ParsedKey
  readonly userKeyText: string
  readonly peers = new Map<string, HeldPeer>()
  /** What was run: the command, and its input. */
  readonly ran: { readonly command: string; readonly input: string }[] = []
  /** It lets in with this as well; null: with a key only. */
  password: string | null = null
  /** Connections that have shown a good key, or password. */
  letIn = 0
  /** How anybody wanted to get in. */
  readonly ways: string[] = []
  /** Commands at once, now and at most. */
  running = 0
  runningMost = 0
  /** Does another thing with a command than its script would; null leaves it to the script. */
  intercept: (channel: ServerChannel, command: string) => Outcome | Promise<Outcome> | 'hang' | null = () =>
    null

  constructor(port: number, hostKey: string, userKeyText: string) {
    this.port = port
    this.hostKey = hostKey
    this.userKeyText = userKeyText
    this.userKey = keyOf(userKeyText)
  }

  async run(channel: ServerChannel, command: string): Promise<void> {
    this.runningMost = Math.max(this.runningMost, ++this.running)
    const pieces: Buffer[] = []
    channel.on('data', (piece: Buffer) => pieces.push(piece))
    await once(channel, 'end')
    const input = Buffer.concat(pieces).toString()
    this.ran.push({ command, input })
    const outcome = await (this.intercept(channel, command) ?? this.#script(command, input))
    this.running--
    if (outcome === 'hang') return
    channel.write(outcome.output ?? '')
    channel.stderr.write(outcome.complaint ?? '')
    channel.exit(outcome.code)
    channel.end()
  }

  #script(command: string, input: string): Outcome {
    const [head, ...lines] = Buffer.from(input.trim(), 'base64url')
      .toString()
      .split('\n')
      .flatMap(line => (line === '' ? [] : [JSON.parse(line) as Record<string, string>])) // what our own side writes
    if (command === SCRIPTS.makeKey) return { code: 0, output: `key\t${KEY}\t${KEY}\nend\n` }
    if (head?.['interface'] !== INTERFACE) return { code: 66, complaint: 'not given to us' }
    const keys = lines.map(({ publicKey = '' }) => publicKey)
    if (command === SCRIPTS.remove) {
      const output = this.#told(keys.filter(key => this.peers.get(key)?.isOurs === true))
      for (const key of keys) if (this.peers.get(key)?.isOurs === true) this.peers.delete(key)
      return { code: 0, output }
    }
    for (const { publicKey = '', allowedIps = '' } of lines) {
      const there = this.peers.get(publicKey)
      if (there?.isOurs === false) return { code: 65, complaint: 'there is a peer with this key already\n' }
      this.peers.set(publicKey, { received: 0, sent: 0, isOurs: true, ...there, allowedIps })
    }
    return { code: 0, output: this.#told(lines.length === 0 ? [...this.peers.keys()] : keys) }
  }

  #told(keys: readonly string[]): string {
    const lines = keys.map(key => {
      const { allowedIps, received, sent, isOurs } = this.peers.get(key) as HeldPeer // of those that there are
      return `peer\t${key}\t${allowedIps}\t${received}\t${sent}\t${isOurs ? 'ours' : 'other'}`
    })
    return `${[`interface\t${KEY}\t51820`, ...lines, 'end'].join('\n')}\n`
  }
}

/** The host's own, and that of peers which it makes a key for. */
export const KEY = Buffer.alloc(32, 7).toString('base64')

/** Returns a private key. Of some five hundred that the library makes, one cannot be read again: another is made then. */
export function newKeyText(): string {
  for (;;) {
    const { private: text } = ssh2.utils.generateKeyPairSync('ed25519')
    if (!(ssh2.utils.parseKey(text) instanceof Error)) return text
  }
}

/** Connections have it as clients do; the types have forgotten it. */
const noDelay = (connection: Connection): unknown =>
  (connection as unknown as Pick<Client, 'setNoDelay'>).setNoDelay(true)

/** Starts one, which ends with the test. */
export async function startSshHost(t: Test): Promise<FakeSshHost> {
  const [hostText, userText] = [newKeyText(), newKeyText()]
  const user = keyOf(userText)
  const server = new ssh2.Server({ hostKeys: [hostText] }, client => {
    noDelay(client)
    client.on('authentication', context => {
      fake.ways.push(context.method)
      const isKnown =
        context.username === USER &&
        (context.method === 'publickey'
          ? context.key.data.equals(user.getPublicSSH())
          : context.method === 'password' && context.password === fake.password)
      if (!isKnown) return context.reject(['publickey', 'password', 'keyboard-interactive'])
      if (context.method !== 'publickey' || context.signature !== undefined) fake.letIn++
      context.accept()
    })
    client.on('session', accept => {
      accept().on('exec', (acceptExec, _, { command }) => void fake.run(acceptExec(), command))
    })
    client.on('error', () => undefined)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  const fake = new FakeSshHost(port, fingerprintOf(keyOf(hostText)), userText)
  t.teardown(() => new Promise<void>(resolve => server.close(() => resolve())))
  return fake
}

export function keyOf(text: string | Buffer): ParsedKey {
  const key = ssh2.utils.parseKey(text)
  if (key instanceof Error) throw key
  return key
}

const fingerprintOf = (key: ParsedKey): string =>
  `SHA256:${createHash('sha256').update(key.getPublicSSH()).digest('base64').replace('=', '')}`

/** Returns the settings of a coordinator whose peers are on this host; their files are gone when the test ends. */
export function settingsFor(t: Test, { port, hostKey, userKeyText }: FakeSshHost) {
  const folder = shortFolder()
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'key')
  writeFileSync(path, userKeyText, { mode: 0o600 })
  return {
    WG_PROVISIONER: 'ssh',
    WG_APPLY_ENABLED: '1',
    WG_HOST_SSH: `${USER}@127.0.0.1:${port}`,
    WG_SSH_KEY: path,
    WG_SSH_HOST_KEY: hostKey,
    WG_POOL4: '10.8.0.0/24',
  }
}
