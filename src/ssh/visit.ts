/**
 * One connection to a host, from its beginning to its end:
 *
 *   where it leads ─→ connect ─→ its key is the pinned one ─→ our way in ─→ work
 *   └──────────────────────── 5 s ─────────────────────────┘               │
 *   └──────────────────────────────── 10 s ────────────────────────────────┘
 */
import { type AnyAuthMethod, Client } from 'ssh2'
import { SshError } from './errors.js'
import { fingerprintOf } from './fingerprint.js'
import { shown } from './shown.js'
import type { SshHostOptions } from './ssh-host.js'

export interface VisitOptions extends SshHostOptions {
  /** Hears which key the host shows, `SHA256:…`. */
  readonly onHostKey?: (seen: string) => void
}

/** How work on a connection ends. */
export interface Leave<T> {
  readonly done: (result: T) => void
  /** The host, or the way to it, is gone. */
  readonly away: (because: string) => void
  readonly failed: (error: SshError) => void
}

const CONNECT_MS = 5_000
const TOTAL_MS = 10_000

/** Resolves with what the work on a connection comes to; rejects with an `SshError`. */
export function visit<T>(options: VisitOptions, work: (client: Client, leave: Leave<T>) => void): Promise<T> {
  const { clock, address, login, settings, addressOf = async () => address.host } = options
  return new Promise((resolve, reject) => {
    const client = new Client()
    let isIn = false
    let isOver = false
    let refusal: SshError | null = null
    const end = (settle: () => void) => {
      if (isOver) return
      isOver = true
      clock.clearTimeout(total)
      clock.clearTimeout(connect)
      client.destroy()
      settle()
    }
    const failed = (error: SshError) => end(() => reject(error))
    const away = (because: string) =>
      failed(refusal ?? new SshError('SSH_AWAY', `${address.host}: ${shown(because)}`))
    const connect = clock.setTimeout(() => {
      if (!isIn) away('there was no connection in time')
    }, CONNECT_MS)
    const total = clock.setTimeout(() => away('the command took too long'), TOTAL_MS)

    // Its short messages would each wait for the answer to the one before: half a second for a command.
    client.on('connect', () => client.setNoDelay(true))
    client.on('ready', () => {
      isIn = true
      work(client, { done: result => end(() => resolve(result)), away, failed })
    })
    client.on('error', error => {
      if (error.level === 'client-authentication')
        refusal ??= new SshError(
          'SSH_UNAUTHORISED',
          login.kind === 'key'
            ? `${address.host} does not let ${address.user} in by the key of ${settings.login}: see its authorized_keys`
            : `${address.host} does not let ${address.user} in by the password of ${settings.login}`,
        )
      away(error.message)
    })
    client.on('close', () => away('the connection was closed'))

    const connectTo = (host: string) => {
      if (isOver) return
      client.connect({
        host,
        port: address.port,
        username: address.user,
        // No other way in is tried: neither an agent nor a password of whoever started us.
        authHandler: [wayIn(options)],
        hostVerifier: (shownKey: Buffer) => {
          const seen = fingerprintOf(shownKey)
          options.onHostKey?.(seen)
          refusal = refusalOf(options, seen)
          return refusal === null
        },
        // The patience is ours.
        readyTimeout: 0,
      })
    }
    addressOf()
      .then(connectTo)
      .catch((error: unknown) => {
        if (error instanceof SshError) failed(error)
        else away(error instanceof Error ? error.message : String(error))
      })
  })
}

function wayIn({ address: { user: username }, login }: SshHostOptions): AnyAuthMethod {
  return login.kind === 'key'
    ? { type: 'publickey', username, key: login.key }
    : { type: 'password', username, password: login.password }
}

function refusalOf({ address, hostKey, settings, alarm }: SshHostOptions, seen: string): SshError | null {
  if (hostKey === null)
    return new SshError(
      'SSH_HOST_KEY_UNKNOWN',
      `${address.host} shows the key ${seen}. If \`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\` tells the same ` +
        `there, set ${settings.hostKey}=${seen}`,
    )
  if (seen === hostKey) return null
  alarm(seen)
  return new SshError(
    'SSH_HOST_KEY_CHANGED',
    `${address.host} shows the key ${seen}, not the one of ${settings.hostKey}: somebody may stand in between`,
  )
}
