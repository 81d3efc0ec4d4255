/** `boson doctor`: looks at everything that a coordinator or an agent stands on, and says what to do. */
import { Command } from 'commander'
import { heldClock } from '../../agent/held-clock.js'
import { systemRandom } from '../../kit/random.js'
import { coordinatorAddress } from '../agent-settings.js'
import { BadConfig, readConfig } from '../config.js'
import { addCoordinatorOptions } from '../coordinator-options.js'
import { type Check, failed, type Finding, runChecks } from '../doctor/check.js'
import { doctorPage } from '../doctor/page.js'
import { EXIT } from '../exit-codes.js'
import { readSettings } from '../read-settings.js'
import { optional, standard, whole } from '../setting.js'
import { addFlags, asFlags, readFlags, sourcesOf } from '../setting-options.js'
import { SETTINGS } from '../settings.js'

const EXAMPLES = `
Examples:
  $ boson doctor                                      before the first start, or beside a running coordinator
  $ NODE_ENV=production boson doctor --json | jq '.findings[] | select(.verdict != "ok")'
  $ sudo boson doctor --node --server https://mesh.example.org

It takes every flag, variable and file that \`boson server\` takes, changes nothing, and ends within seconds: with 0
when nothing failed, with 1 otherwise. Run it as the user that the coordinator runs as.`

const FLAGS = asFlags({
  sessions: standard('', whole(1, 1_000_000), 1_000, { doc: 'For how many agents at once to look.' }),
})
const NODE_SETTINGS = {
  server: optional('BOSON_SERVER', coordinatorAddress, {
    doc: 'With --node: the coordinator.',
    example: 'https://mesh.example.org',
  }),
}

/** Returns the command. */
export function doctorCommand(): Command {
  const command = addFlags(addFlags(new Command('doctor'), FLAGS), NODE_SETTINGS)
    .description('look at what the coordinator stands on, or with --node an agent, and say what to do')
    .option('--node', 'look at this machine as one for `boson node` or `boson client`')
    .option(
      '--token <token>',
      'the operator’s token. When not set: SECRET_TOKEN, or the one in the data directory',
    )
    .option('--json', 'print one JSON object')
  // The others would hide the ones above: `boson server --help` has them.
  return addCoordinatorOptions(command, [])
    .addHelpText('after', EXAMPLES)
    .action(async (options: Readonly<Record<string, unknown>>) => {
      const findings = await findingsFor(options)
      process.stdout.write(
        `${options['json'] === true ? JSON.stringify({ findings }) : doctorPage(findings)}\n`,
      )
      // A client that a server keeps waiting, or a copy that is still being opened, holds nobody up.
      process.exit(findings.some(({ verdict }) => verdict === 'failed') ? EXIT.failed : EXIT.ok)
    })
}

async function findingsFor(options: Readonly<Record<string, unknown>>): Promise<readonly Finding[]> {
  try {
    return await runChecks(await checksFor(options), heldClock)
  } catch (error) {
    if (!(error instanceof BadConfig)) throw error
    const [, ...problems] = error.message.split('\n')
    return problems.map(problem =>
      failed('settings', problem.trim(), 'boson server would not start like this'),
    )
  }
}

async function checksFor(options: Readonly<Record<string, unknown>>): Promise<readonly Check[]> {
  const { sessions } = readFlags(FLAGS, options)
  if (options['node'] === true) {
    const problems: string[] = []
    const { server } = readSettings(NODE_SETTINGS, sourcesOf(NODE_SETTINGS, options), problems)
    if (problems.length > 0) throw new BadConfig(problems)
    const { nodeChecks } = await import('../doctor/node-checks.js')
    return nodeChecks({ server, clock: heldClock, random: systemRandom })
  }
  const config = readConfig(sourcesOf(SETTINGS, options))
  const { coordinatorChecks } = await import('../doctor/coordinator-checks.js')
  const token = typeof options['token'] === 'string' ? options['token'] : null
  return coordinatorChecks({
    config,
    env: process.env,
    token,
    sessions,
    clock: heldClock,
    random: systemRandom,
  })
}
