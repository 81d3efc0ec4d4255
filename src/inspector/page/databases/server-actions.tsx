/** What can be done to a server that is watched. Each asks once, and says what will happen. */
import { ask } from '../live/hooks.js'
import { go, route, to } from '../route.js'
import type { Question } from '../ui/dialog.js'
import { plural } from '../ui/format.js'
import type { ServerForm, VisitForm } from './kinds.js'
import { ServerFields } from './server-fields.js'
import { bodyOf, changesOf, fieldsOf, NEW } from './server-form.js'
import { testServer } from './test-sheet.js'

const at = (name: string): string => `/pgmon/servers/${encodeURIComponent(name)}`

export const addServer: Question = {
  title: 'Add a server',
  verb: 'Add a server',
  isWide: true,
  consequence: (
    <p>It is looked at from now on, read only. Then it is tried out, and you see what is missing.</p>
  ),
  fields: <ServerFields of={NEW} has={{ password: false, sshPassword: false }} isNew />,
  async act(fields) {
    const { name } = await ask<ServerForm>('POST', '/pgmon/servers', bodyOf(fields))
    go(to(['databases', name]))
    testServer(name)
    return `${name} is watched from now on.`
  },
}

export const changeServer = (server: ServerForm): Question => ({
  title: `Change ${server.name}`,
  verb: 'Change',
  isWide: true,
  consequence: server.is_own ? (
    <p>Where it is, and as whom it is asked, is what the coordinator’s own settings say.</p>
  ) : (
    <p>It holds at once: connections to it are opened anew.</p>
  ),
  fields: (
    <ServerFields
      of={fieldsOf(server)}
      has={{ password: server.has_password, sshPassword: server.has_ssh_password }}
      isOwn={server.is_own}
    />
  ),
  async act(fields) {
    const changes = changesOf(server, fields)
    if (Object.keys(changes).length === 0) return `Nothing of ${server.name} is changed.`
    const { name } = await ask<ServerForm>('PUT', at(server.name), changes)
    if (name !== server.name && route.peek().path[1] === server.name) go(to(['databases', name]))
    return `${name} is changed.`
  },
})

export const enableServer = ({ name, enabled }: ServerForm): Question => ({
  title: `${enabled ? 'Stop looking at' : 'Look at'} ${name}`,
  verb: enabled ? 'Disable' : 'Enable',
  consequence: enabled ? (
    <p>Nothing is asked of it, and its connections are closed. What it told before stays.</p>
  ) : (
    <p>It is looked at again, from now on.</p>
  ),
  async act() {
    await ask('PUT', at(name), { enabled: !enabled })
    return `${name} is ${enabled ? 'looked at no more' : 'looked at again'}.`
  },
})

export const removeServer = ({ name }: ServerForm): Question => ({
  title: `Remove ${name}`,
  verb: 'Remove',
  isDangerous: true,
  consequence: (
    <p>
      It is watched no more: its password and its events are gone from here, and what it told can no longer be
      looked at. On the server itself nothing changes. <strong>Nothing takes this back.</strong>
    </p>
  ),
  async act() {
    await ask('DELETE', at(name))
    if (route.peek().path[1] === name) go(to(['databases']))
    return `${name} is removed.`
  },
})

export const collectNow = (name: string): Question => ({
  title: `Collect from ${name} now`,
  verb: 'Collect now',
  consequence: (
    <p>
      Its figures, sizes, disks and largest tables are asked for and kept. What comes by itself goes on as
      before.
    </p>
  ),
  async act() {
    const { visits } = await ask<{ readonly visits: readonly VisitForm[] }>('POST', `${at(name)}/collect`)
    const faults = visits.flatMap(({ error }) => error ?? [])
    const kept = visits.reduce((sum, { samples }) => sum + samples, 0)
    return [`${plural(kept, 'row')} of figures kept.`, ...new Set(faults)].join(' ')
  },
})
