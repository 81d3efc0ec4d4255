/** `/pgmon/settings`: how often servers are visited, and how long what they told is kept. */
import type { PluginHost } from '../../app/plugin.js'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { json } from '../../http/reply.js'
import { SettingsForm } from './forms.js'
import { type Settings, SettingsWish } from './settings.js'

export interface SettingsParts {
  readonly settings: Settings
  readonly audit: PluginHost['audit']
}

const path = '/pgmon/settings'
const tag = 'databases'
const replies = { 200: { description: 'The settings.', schema: SettingsForm } }

export const settingsEndpoints = ({ settings, audit }: SettingsParts): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path,
    access: 'viewer',
    tag,
    summary: 'Tells how often servers are visited, and how long what they told is kept',
    replies,
    handle: () => json(settings.current),
  }),
  endpoint({
    method: 'PUT',
    path,
    access: 'admin',
    tag,
    summary: 'Changes the settings given',
    description: 'Other coordinators go by them within half a minute.',
    body: SettingsWish,
    replies,
    async handle({ body, caller }) {
      const now = await settings.change(body, nameOf(caller))
      audit({ kind: 'monitor.settings', actor: nameOf(caller), subject: 'settings', detail: body })
      return json(now)
    },
  }),
]
