/** What an operator does to one identity at once: end its session, bar it for good, look at its network anew. */
import type { Bars } from '../actors/admission/bars.js'
import type { Identities } from '../actors/admission/identities.js'
import type { NatProbes } from '../actors/nat-probe/nat-probes.js'
import type { Paths } from '../actors/path/paths.js'
import type { Fact, MeshApi, Traversal } from '../actors/ports.js'
import type { Cell } from '../actors/session/cell.js'
import type { Sessions } from '../actors/session/sessions.js'
import type { Changes } from '../actors/snapshot/snapshots.js'
import type { Clock } from '../kit/clock.js'

export interface InterventionParts {
  readonly clock: Clock
  readonly identities: Identities
  readonly sessions: Sessions
  readonly bars: Bars
  readonly natProbes: NatProbes
  readonly paths: Paths
  /** null: there is no STUN server to ask. */
  readonly traversal: Traversal | null
  readonly changes: Changes
  readonly tell: (fact: Fact) => void
}

/** Returns what the mesh offers of this. */
export function interventions(parts: InterventionParts): Pick<MeshApi, 'kick' | 'revoke' | 'reprobe'> {
  const { clock, identities, sessions, bars, natProbes, paths, changes } = parts

  const probeOf = (cell: Cell | undefined) => {
    if (cell?.line == null) return 'away'
    if (!cell.identity.profile.can.includes('probe')) return 'cannot'
    return (parts.traversal?.stunServers().length ?? 0) === 0 ? 'no_servers' : 'asked'
  }

  return {
    kick(id, { reason, forMs, actor }) {
      const identity = identities.of(id)
      if (identity === undefined) return null
      const cell = sessions.byIdentity(id)
      const ended = cell !== undefined
      changes.audit({ kind: 'session.kicked', actor, subject: id, detail: { reason, forMs, ended } })
      bars.set(id, forMs)
      if (ended) sessions.deliver(cell, { type: 'dismissed', close: 'kicked', reason })
      return { id, role: identity.role, ended, refusedForMs: forMs }
    },

    revoke(id, { reason, actor }) {
      const cell = sessions.byIdentity(id)
      const identity = cell?.identity ?? identities.of(id)
      if (identity === undefined) return null
      const atMs = identity.revokedAtMs ?? clock.wallMs()
      if (identity.revokedAtMs === null) {
        const revoked = { ...identity, revokedAtMs: atMs }
        identities.set(revoked)
        if (cell !== undefined) cell.identity = revoked
        changes.touch({ kind: 'identity', key: id, value: revoked })
        changes.audit({ kind: 'identity.revoked', actor, subject: id, detail: { reason } })
        parts.tell({ type: 'key.revoked', atMs, subject: 'identity', id, by: actor })
      }
      if (cell !== undefined) sessions.deliver(cell, { type: 'dismissed', close: 'revoked', reason })
      return { id, role: identity.role, ended: cell !== undefined, revokedAtMs: atMs }
    },

    reprobe(id, actor) {
      const identity = identities.of(id)
      if (identity === undefined) return null
      const cell = sessions.byIdentity(id)
      const probe = probeOf(cell)
      const links = cell?.links?.size ?? 0
      changes.audit({ kind: 'session.reprobed', actor, subject: id, detail: { probe, paths: links } })
      if (cell !== undefined && probe === 'asked') natProbes.networkChanged(cell)
      if (cell !== undefined) paths.tryAgain(cell)
      return { id, role: identity.role, probe, paths: links }
    },
  }
}
