/** Steering as operators see and change it. Each change is audited. */
import { isDeepStrictEqual } from 'node:util'
import type { Identities } from '../actors/admission/identities.js'
import type { MeshApi, Steering } from '../actors/ports.js'
import type { Changes } from '../actors/snapshot/snapshots.js'
import type { Steerings } from '../actors/steering/steerings.js'

export interface SteeringParts {
  readonly identities: Identities
  readonly steerings: Steerings
  readonly changes: Changes
}

export function steeringView(parts: SteeringParts): Pick<MeshApi, 'steering' | 'steer'> {
  const { identities, steerings, changes } = parts
  const of: MeshApi['steering'] = id => {
    const identity = identities.of(id)
    return identity === undefined ? null : { id, role: identity.role, steering: steerings.of(id) }
  }
  return {
    steering: of,
    steer(id, change, actor) {
      if (identities.of(id) === undefined) return null
      const before = steerings.of(id)
      const changed = Object.entries(change).filter(
        ([field, value]) => !isDeepStrictEqual(value, before[field as keyof Steering]),
      )
      if (changed.length > 0)
        changes.audit({ kind: 'steering.changed', actor, subject: id, detail: Object.fromEntries(changed) })
      steerings.set(id, change)
      return of(id)
    },
  }
}
