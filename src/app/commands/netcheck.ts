/** `boson netcheck`: what the NAT in front of this machine does, what that means, and what would help. */
import { Command } from 'commander'
import { meshUrl } from '../../agent/index.js'
import { isStunUri } from '../../agent/nat/find-servers.js'
import { coordinatorAddress } from '../agent-settings.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { checklist, checklistPage } from '../netcheck/checklist.js'
import { checkNat } from '../netcheck/check-nat.js'
import { BadConfig, readSettings } from '../read-settings.js'
import { optional } from '../setting.js'
import { addSettings, sourcesOf } from '../setting-options.js'

const EXAMPLES = `
Examples:
  $ boson netcheck --server https://mesh.example.org
  $ boson netcheck --stun stun.example.org:3478 --stun stun.example.org:3479
  $ boson netcheck --server mesh.example.org --json | jq .nat.mapping

A STUN server with two addresses and two ports tells everything; with two ports, as boson server has, it cannot
tell whether a NAT looks at addresses.`

const SETTINGS = {
  server: optional('BOSON_SERVER', coordinatorAddress, {
    doc: 'The coordinator, whose STUN server is asked. When not set: the one on this machine.',
    example: 'https://mesh.example.org',
  }),
}
/** Where STUN is on a coordinator: its port, and the second one that shows how a NAT maps and filters. */
const STUN_PORTS = [3_478, 3_479] as const

/** Returns the command. */
export const netcheckCommand = (): Command =>
  addSettings(new Command('netcheck'), SETTINGS)
    .description('find out what the NAT here does, and what would help')
    .option('--stun <host:port>', 'ask this STUN server instead; may be given again', gather)
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Record<string, unknown>) => {
      const uris = stunServers(options)
      const { servers, nat, rttMs } = await checkNat(uris)
      if (servers.length === 0)
        throw new CommandError(
          'UNREACHABLE',
          `no address of ${uris.join(', ')} is known: wanted a name that resolves`,
          EXIT.unreachable,
        )
      const list = checklist(nat, rttMs)
      process.stdout.write(
        options['json'] === true
          ? `${JSON.stringify({ servers, rttMs, nat, ...list })}\n`
          : `Asked ${servers.join(', ')}\n\n${checklistPage(list)}\n`,
      )
      if (nat.udp !== 'open') process.exitCode = EXIT.unreachable
    })

const gather = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

function stunServers(options: Readonly<Record<string, unknown>>): readonly string[] {
  const given = options['stun'] as readonly string[] | undefined // what `gather` made
  if (given !== undefined) return given.map(asUri)
  const problems: string[] = []
  const { server } = readSettings(SETTINGS, sourcesOf(SETTINGS, options), problems)
  if (problems.length > 0) throw new BadConfig(problems)
  const host = server === null ? '127.0.0.1' : new URL(meshUrl(server)).hostname
  return STUN_PORTS.map(port => `stun:${host}:${port}`)
}

function asUri(text: string): string {
  const uri = text.startsWith('stun:') ? text : `stun:${text}`
  if (!isStunUri(uri)) throw new BadConfig([`--stun: wanted host:port, not ${JSON.stringify(text)}`])
  return uri
}
