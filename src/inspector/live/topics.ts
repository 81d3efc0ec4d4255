/** What can be followed, where it is heard, and which endpoint shows the same: who may ask that may follow it. */
import type { MeshApi } from '../../actors/ports.js'
import type { PluginHost } from '../../app/plugin.js'
import type { OperatorWireOf } from '../../protocol/operator.js'

export type Wish = OperatorWireOf<'operator.follow'>

export interface Topic {
  /** The endpoint that shows the same. */
  path(wish: Wish): string
  /**
   * Calls `hear` with what happened lately and from now on with what happens; returns what ends it. null: there is no
   * such thing.
   */
  follow(wish: Wish, hear: (event: unknown) => void): (() => void) | null
  /** Whether it is over, which nothing tells. */
  isOver?(wish: Wish): boolean
}

/** Lines of the log from before somebody followed it. */
const EARLIER_LINES = 200

export const topics = (
  mesh: MeshApi,
  { tail }: Pick<PluginHost, 'tail'>,
): Readonly<Record<Wish['topic'], Topic>> => ({
  actor: {
    path: ({ of = '' }) => `/api/v1/actors/${encodeURIComponent(of)}/steps`,
    follow({ of = '' }, hear) {
      const watched = mesh.watchActor(of, hear)
      for (const step of watched?.recent ?? []) hear(step)
      return watched?.stop ?? null
    },
    isOver: ({ of = '' }) => mesh.actor(of) === null,
  },
  log: {
    path: () => '/api/v1/log',
    follow({ level = 'info', search }, hear) {
      const wish = { level, search }
      for (const line of tail.lines(wish, EARLIER_LINES)) hear(line)
      return tail.follow(wish, hear)
    },
  },
  audit: {
    path: () => '/api/v1/audit',
    follow({ search }, hear) {
      const wanted = search?.toLowerCase()
      return mesh.onAudit(event => {
        if (wanted === undefined || JSON.stringify(event).toLowerCase().includes(wanted)) hear(event)
      })
    },
  },
  facts: {
    path: () => '/api/v1/status',
    follow: ({ of }, hear) =>
      mesh.onFact(fact => {
        if (of === undefined || of === fact.type) hear(fact)
      }),
  },
})
