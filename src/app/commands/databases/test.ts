/** `boson databases test`: whether a server lets us in, and what the role may do there. */
import type { Command } from 'commander'
import type { z } from 'zod'
import type { TrialForm } from '../../../pgmon/servers/trial.js'
import { plain } from '../../columns.js'
import { CommandError } from '../../exit-codes.js'
import { Operator } from '../../operator.js'
import { aboutServer, facts, optionsOf, print, serverPath } from './about-server.js'

type Trial = z.output<typeof TrialForm>

/** A server that does not answer is given up before, ms. */
const PATIENCE_MS = 30_000

/** Returns the command. */
export const testCommand = (): Command =>
  aboutServer('test', 'connect to a server now; exits with 1 when it cannot be reached')
    .option('--json', 'print JSON')
    .action(async (name: string, _, command: Command) => {
      const options = optionsOf(command)
      const operator = new Operator(options)
      const trial = await operator.ask<Trial>('POST', `${serverPath(name)}/test`, undefined, PATIENCE_MS)
      print(options['json'] === true ? JSON.stringify(trial) : page(trial))
      if (!trial.ok) throw new CommandError('NOT_REACHED', `${name} cannot be watched like this`)
    })

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
