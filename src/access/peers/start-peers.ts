/** Peers: WireGuard keys of accounts, and what makes them known where WireGuard runs. */
import { every } from '../../kit/clock.js'
import type { Ground, Part } from '../part.js'
import type { Entitlements, PeerProvisioner, Peers } from '../ports.js'
import { PeerBook } from './book.js'
import { configEndpoints } from './config-endpoints.js'
import { PeerDesk } from './desk.js'
import { peerEndpoints } from './endpoints.js'
import { PeerCounts, peerFigures } from './figures.js'
import { InTurn } from './in-turn.js'
import type { Whereabouts } from './forms.js'
import { KeyMaker } from './key-maker.js'
import { keyPolicyOf, provisionerOf } from './policy.js'
import { PeerQueue } from './queue.js'
import { Reconciler } from './reconciler.js'
import { Secrets } from './secrets.js'
import { TIMING } from './timing.js'
import { Watch } from './watch.js'

export interface PeersPart extends Part {
  readonly peers: Peers
}

interface Others {
  readonly entitlements: Entitlements
  /** Those that are configured; a peer stays with the one that it was made for. */
  readonly provisioners: readonly PeerProvisioner[]
}

/** Returns the part; `provisioners` has the one that WG_PROVISIONER names. */
export function startPeers(ground: Ground, { entitlements, provisioners }: Others): PeersPart {
  const { mesh, host, room } = ground
  const { clock, log, config, vault } = host
  const audit: typeof host.audit = event => host.audit(event)
  const counts = new PeerCounts()
  const secrets = new Secrets(vault)
  const keys = new KeyMaker(keyPolicyOf(config), secrets)
  const book = new PeerBook({ room, clock, keys, provisioner: provisionerOf(config) })
  const queue = new PeerQueue({ room, clock, secrets })
  const reconciler = new Reconciler({ queue, provisioners, entitlements, audit, counts, log })
  const wake = () => reconciler.wake()
  const whereabouts: Whereabouts = {
    isConnected: id => mesh.client(id)?.state.startsWith('online') === true,
    denialOf: id => entitlements.termsOf(id, 'client')?.denial?.reason ?? null,
  }
  const watch = new Watch({ room, mesh, queue, provisioners, entitlements, audit, counts, log, wake })
  const desk = new PeerDesk({ clock, book, reconciler, entitlements, secrets, audit })

  const failed = (error: unknown) => log.debug({ err: error }, 'peers could not be looked at')
  // Whoever asks elsewhere may have to wait: what an account is entitled to does not.
  const following = new InTurn(failed)
  const looking = new InTurn(failed)
  const follow = following.work(() => watch.follow())
  const stops = [
    entitlements.onChange(accountId => {
      watch.noteChange(accountId)
      follow()
    }),
    every(clock, TIMING.dueEveryMs, wake),
    every(
      clock,
      TIMING.usageEveryMs,
      looking.work(() => watch.charge()),
    ),
    every(
      clock,
      TIMING.lookEveryMs,
      looking.work(() => watch.look()),
    ),
  ]
  wake()
  return {
    peers: { ensure: (tx, wish) => book.ensure(tx, wish), wake },
    routes: [
      ...configEndpoints({ book, desk, secrets, provisioners, config, whereabouts }),
      ...peerEndpoints({ book, desk, entitlements, whereabouts }),
    ],
    figures: peerFigures(counts),
    async stop() {
      for (const stop of stops) stop()
      await following.over
      await looking.over
      await reconciler.settled()
    },
  }
}
