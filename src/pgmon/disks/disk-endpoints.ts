/** What the machine of a server tells, and whether it can be reached. */
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { conflict, HttpError } from '../../http/faults.js'
import { json } from '../../http/reply.js'
import type { Server, Servers } from '../ports.js'
import { asHttpError } from './errors.js'
import { DiskList, SshTest, SshTestWish } from './forms.js'
import type { ServerDisks } from './server-disks.js'
import type { SshTrials } from './ssh-trial.js'

export interface DiskEndpointParts {
  readonly servers: Pick<Servers, 'called'>
  readonly disks: ServerDisks
  readonly trials: SshTrials
}

const tag = 'databases'

export function diskEndpoints({ servers, disks, trials }: DiskEndpointParts): readonly Endpoint[] {
  const asked = (params: Readonly<Record<string, unknown>>): Server => {
    const server = servers.called(String(params['name']))
    if (server.isEnabled) return server
    throw new HttpError(409, 'server_disabled', `${server.name} is not enabled: nothing is asked of it`)
  }
  return [
    endpoint({
      method: 'GET',
      path: '/pgmon/servers/{name}/disk',
      access: 'viewer',
      tag,
      summary: 'Tells the file systems of the machine of a server, by SSH',
      description: 'At most 30 s old. Those in memory are left out.',
      replies: { 200: { description: 'The file systems.', schema: DiskList } },
      faults: [409],
      async handle({ params }) {
        const server = asked(params)
        const seen = await disks.seenOf(server).catch((error: unknown) => {
          throw asHttpError(error)
        })
        if (seen === null)
          throw conflict(`nobody has said how the machine of ${server.name} is reached: set ssh_auth`)
        const answer: DiskList = {
          name: server.name,
          asked_at: new Date(seen.askedAtMs).toISOString(),
          disks: [...seen.disks],
        }
        return json(answer)
      },
    }),
    endpoint({
      method: 'POST',
      path: '/pgmon/servers/{name}/test-ssh',
      access: 'operator',
      tag,
      summary: 'Goes to the machine of a server by SSH now, and tells which key it shows',
      description: `Nothing but its name is asked of a machine whose key is not pinned. Compare the key that it shows with what
\`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\` tells there, and send it back as \`pin\`. Answers 200 when it cannot be
reached, too, and says why.`,
      body: SshTestWish,
      replies: { 200: { description: 'What came of it.', schema: SshTest } },
      faults: [409],
      async handle({ params, body, caller }) {
        const server = asked(params)
        const answer = await trials.try(server, body.pin ?? null, caller)
        disks.forget(server.serverId)
        return json(answer)
      },
    }),
  ]
}
