/**
 * Everything an agent may take from its machine, and how each is given back. Plain data, so that it can be
 * written down before it is taken and given back by another process after a crash. Giving back twice, or what
 * is already gone, or what someone else has changed since, does no harm.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { restoreResolver } from './resolver.js'
import type { Run } from './run.js'

export type Taken =
  /** An interface that the agent made; addresses, peers and routes go with it. */
  | { readonly kind: 'interface'; readonly name: string }
  /** A peer, an address or a route on an interface that belongs to someone else. */
  | { readonly kind: 'peer'; readonly interface: string; readonly publicKey: string }
  | { readonly kind: 'address'; readonly interface: string; readonly address: string }
  | { readonly kind: 'route'; readonly family: Family; readonly route: readonly string[] }
  | { readonly kind: 'rule'; readonly family: Family; readonly rule: readonly string[] }
  | { readonly kind: 'nftables'; readonly table: string }
  /** A kernel setting below /proc/sys. */
  | { readonly kind: 'setting'; readonly path: string; readonly was: string; readonly now: string }
  /** The resolver's configuration; `link` when it was a symbolic link, else `was` is its text. */
  | {
      readonly kind: 'resolver'
      readonly path: string
      readonly was: string
      readonly link: string | null
      readonly now: string
    }

/** The address family as `ip` spells it. */
export type Family = '-4' | '-6'

/** Where wireguard-go listens for `wg`. */
export const WIREGUARD_SOCKETS = '/run/wireguard'

/** Returns whether it outlives a restart of the machine. */
export const outlivesBoot = (taken: Taken): boolean => taken.kind === 'resolver'

/** Gives one thing back; rejects when it is still there afterwards. */
export async function giveBack(taken: Taken, run: Run): Promise<void> {
  switch (taken.kind) {
    case 'interface':
      await gone(run('ip', ['link', 'del', 'dev', taken.name]))
      // wireguard-go ends when its interface or this socket goes; one that was killed leaves the socket.
      rmSync(join(WIREGUARD_SOCKETS, `${taken.name}.sock`), { force: true })
      return
    case 'peer':
      return gone(run('wg', ['set', taken.interface, 'peer', taken.publicKey, 'remove']))
    case 'address':
      return gone(run('ip', ['address', 'del', taken.address, 'dev', taken.interface]))
    case 'route':
      return gone(run('ip', [taken.family, 'route', 'del', ...taken.route]))
    case 'rule':
      return gone(run('ip', [taken.family, 'rule', 'del', ...taken.rule]))
    case 'nftables':
      return gone(run('nft', ['delete', 'table', 'inet', taken.table]))
    case 'setting':
      if (existsSync(taken.path) && readFileSync(taken.path, 'utf8').trim() === taken.now)
        writeFileSync(taken.path, taken.was)
      return
    case 'resolver':
      return restoreResolver(taken)
  }
}

/** Counts "there is no such thing" as given back. */
async function gone(removal: Promise<string>): Promise<void> {
  try {
    await removal
  } catch (error) {
    const said = error instanceof Error ? error.message : ''
    if (!/no such|not find|not found|does not exist/i.test(said)) throw error
  }
}
