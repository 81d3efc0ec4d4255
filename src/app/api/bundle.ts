/** `/api/v1/bundle`: everything that somebody who helps asks for first. */
import { z } from 'zod'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import type { BundleParts } from '../bundle.js'
import { bundleText } from '../bundle.js'

/** Making one looks at everything: whoever asks again within this gets the same, ms. */
const FRESH_MS = 1_000

export function bundleRoute(parts: BundleParts): Endpoint {
  const { clock, mesh } = parts
  let made: { readonly atMs: number; readonly text: Promise<string> } | null = null
  const bundle = () => {
    if (made === null || clock.now() - made.atMs >= FRESH_MS)
      made = { atMs: clock.now(), text: bundleText(parts) }
    return made.text
  }
  return endpoint({
    method: 'GET',
    path: '/api/v1/bundle',
    access: 'operator',
    tag: 'status',
    summary: 'Tells everything that somebody who helps asks for first',
    description:
      'Version, settings, health, figures, statecharts, the last lines of the log, and the first 200 of each list. No secret is in it, but names and addresses are.',
    replies: {
      200: {
        description: 'The bundle.',
        schema: z.looseObject({
          takenAt: z.iso.datetime(),
          version: z.string(),
          serverId: z.string(),
          settings: z.record(z.string(), z.unknown()),
        }),
      },
    },
    async handle({ caller }) {
      const body = await bundle()
      mesh.audit({ kind: 'bundle.taken', actor: nameOf(caller), subject: mesh.serverId, detail: {} })
      return { status: 200, headers: { 'Content-Type': 'application/json; charset=utf-8' }, body }
    },
  })
}
