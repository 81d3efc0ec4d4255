/** `boson kick`, `boson revoke`, `boson reprobe`: what an operator does to one node or client at once. */
import { Command } from 'commander'
import type { Kick, Reprobe, Revocation } from '../../actors/ports.js'
import { asDuration } from '../columns.js'
import { readDuration } from '../duration.js'
import { confirmed } from '../confirm.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { addOperatorOptions, Operator } from '../operator.js'

const KICK_EXAMPLES = `
Examples:
  $ boson kick alice                                its agent comes back at once, with a new session
  $ boson kick fra-1 --for 5m --reason "new disk"   it is refused until then

Its routes move to other nodes, or end, at once: \`boson drain\` is the gentle way to empty a node.`

const REVOKE_EXAMPLES = `
Examples:
  $ boson revoke alice --reason "left the company"
  $ boson revoke alice --yes             without being asked

Nothing takes it back: nobody is given the name, the key or the addresses again.`

const REPROBE_EXAMPLES = `
Examples:
  $ boson reprobe fra-1
  $ boson why alice fra-1                what came of it, some seconds later`

/** Returns the commands. */
export const interventionCommands = (): readonly Command[] => [
  addOperatorOptions(new Command('kick'))
    .description('end the session of a node or a client; its agent may register anew')
    .argument('<id>', 'of a node or a client')
    .option('--reason <text>', 'its agent is told, and the audit keeps it')
    .option('--for <time>', 'refuse it until then: 90s, 5m, 2h')
    .option('--json', 'print JSON')
    .addHelpText('after', KICK_EXAMPLES)
    .action(async (id: string, options: Record<string, unknown>) => {
      const forMs = forOf(options['for'])
      const kick = await act<Kick>('kick', id, options, { ...reasonOf(options), ...forMs })
      print(options, kick, kickText(kick))
    }),
  addOperatorOptions(new Command('revoke'))
    .description('bar a node or a client for good')
    .argument('<id>', 'of a node or a client')
    .option('--reason <text>', 'its agent is told, and the audit keeps it')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .addHelpText('after', REVOKE_EXAMPLES)
    .action(async (id: string, options: Record<string, unknown>) => {
      if (options['yes'] !== true) await confirmed(id, barring(id))
      const revocation = await act<Revocation>('revoke', id, options, reasonOf(options))
      print(options, revocation, revocationText(revocation))
    }),
  addOperatorOptions(new Command('reprobe'))
    .description('look anew at the network of a node or a client, and try its paths again')
    .argument('<id>', 'of a node or a client')
    .option('--json', 'print JSON')
    .addHelpText('after', REPROBE_EXAMPLES)
    .action(async (id: string, options: Record<string, unknown>) => {
      const reprobe = await act<Reprobe>('reprobe', id, options, {})
      print(options, reprobe, reprobeText(reprobe))
    }),
]

/** Returns what a person sees. */
export function kickText({ id, ended, refusedForMs }: Kick): string {
  const kept = refusedForMs > 0 ? `it is refused for ${asDuration(refusedForMs / 1_000)}` : null
  if (!ended) return `${id} has no session${kept === null ? '' : `; ${kept}`}`
  return `the session of ${id} is ended; ${kept ?? 'its agent may come back at once'}`
}

export const revocationText = ({ id, ended, revokedAtMs }: Revocation): string =>
  `${id} is revoked since ${new Date(revokedAtMs).toISOString().slice(0, 19)}Z${ended ? '; its session and its routes are ended' : ''}`

const PROBES: Readonly<Record<Reprobe['probe'], string>> = {
  asked: 'is asked about its NAT anew',
  away: 'is not connected: it is asked when it comes back from elsewhere',
  cannot: 'knows no NAT probes',
  no_servers: 'cannot be asked about its NAT: there is no STUN server',
}

export const reprobeText = ({ id, probe, paths }: Reprobe): string =>
  `${id} ${PROBES[probe]}; ${paths === 0 ? 'it has no paths' : `${paths} ${paths === 1 ? 'path is' : 'paths are'} tried again`}`

const act = <T>(what: string, id: string, options: Record<string, unknown>, body: object): Promise<T> =>
  new Operator(options).ask<T>('POST', `/api/v1/identities/${encodeURIComponent(id)}/${what}`, body)

const barring = (id: string) => ({
  why: 'nothing takes a revocation back',
  question: `${id} is barred for good: its session and its routes end now, and its name, key and addresses are given\nto nobody again. Nothing takes this back.`,
})

function forOf(text: unknown): { readonly forMs?: number } {
  if (typeof text !== 'string') return {}
  const forMs = readDuration(text)
  if (forMs !== null) return { forMs }
  const message = `--for: wanted a time such as 90s, 5m or 2h, got ${JSON.stringify(text)}`
  throw new CommandError('USAGE', message, EXIT.usage)
}

const reasonOf = ({ reason }: Record<string, unknown>) => (typeof reason === 'string' ? { reason } : {})

const print = (options: Record<string, unknown>, answer: object, text: string): void =>
  void process.stdout.write(`${options['json'] === true ? JSON.stringify(answer) : text}\n`)
