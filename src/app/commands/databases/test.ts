/** `boson databases test`, `test-ssh`: whether a server and its machine let us in, and what the role may do there. */
import type { Command } from 'commander'
import type { z } from 'zod'
import type { SshTest } from '../../../pgmon/disks/forms.js'
import type { TrialForm } from '../../../pgmon/servers/trial.js'
import { plain } from '../../columns.js'
import { CommandError } from '../../exit-codes.js'
import { Operator } from '../../operator.js'
import { aboutServer, facts, optionsOf, print, say, serverPath } from './about-server.js'

type Trial = z.output<typeof TrialForm>

/** A server that does not answer is given up before, ms. */
const PATIENCE_MS = 30_000

/** Returns the commands. */
export const testCommands = (): readonly Command[] => [
  aboutServer('test', 'connect to a server now; exits with 1 when it cannot be reached')
    .option('--json', 'print JSON')
    .action((name: string, _, command: Command) => test(name, command)),
  aboutServer('test-ssh', 'log in to the machine of a server now; exits with 1 when it cannot be reached')
    .option(
      '--pin <fingerprint>',
      'SHA256:…, by which it is known from now on, if it is the one that is shown',
    )
    .option('--json', 'print JSON')
    .action((name: string, _, command: Command) => testSsh(name, command)),
]

async function test(name: string, command: Command): Promise<void> {
  const options = optionsOf(command)
  const operator = new Operator(options)
  const trial = await operator.ask<Trial>('POST', `${serverPath(name)}/test`, undefined, PATIENCE_MS)
  print(options['json'] === true ? JSON.stringify(trial) : page(trial))
  if (!trial.ok) throw notReached(name)
}

async function testSsh(name: string, command: Command): Promise<void> {
  const options = optionsOf(command)
  const { pin } = options
  const wish = pin === undefined ? {} : { pin }
  const operator = new Operator(options)
  const tried = await operator.ask<SshTest>('POST', `${serverPath(name)}/test-ssh`, wish, PATIENCE_MS)
  print(options['json'] === true ? JSON.stringify(tried) : sshPage(tried))
  if (tried.host_key !== null && !tried.is_pinned)
    say(
      `Compare it with what \`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\` tells there, then: boson databases test-ssh ${name} --pin ${tried.host_key}`,
    )
  if (!tried.ok) throw notReached(name)
}

const notReached = (name: string): CommandError =>
  new CommandError('NOT_REACHED', `${name} cannot be watched like this`)

const page = ({ ok, message, role, is_replica, is_encrypted, warnings, took_ms }: Trial): string =>
  [
    facts([
      [ok ? 'ok' : 'failed', `${plain(message)}, after ${Math.round(took_ms)} ms`],
      ['as', role === null ? null : plain(role.name)],
      ['encrypted', is_encrypted === null ? null : is_encrypted ? 'yes' : 'no'],
      ['replica', is_replica === true ? 'yes' : null],
    ]),
    ...warnings.map(each => `warning: ${plain(each)}`),
  ].join('\n')

const sshPage = ({ ok, message, host_key, is_pinned, took_ms }: SshTest): string =>
  facts([
    [ok ? 'ok' : 'failed', `${plain(message)}, after ${Math.round(took_ms)} ms`],
    ['host key', host_key === null ? null : `${host_key}${is_pinned ? ', as pinned' : ', not pinned'}`],
  ])
