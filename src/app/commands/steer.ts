/** `boson steer`: what the operator lays down for a node or a client, from now on and over restarts. */
import { Command } from 'commander'
import type { Role, Steering, SteeringView } from '../../actors/ports.js'
import { NO_STEERING } from '../../mesh/steering.js'
import { columns } from '../columns.js'
import { addOperatorOptions, Operator } from '../operator.js'
import { flag, flagOf, list, matching, number, whole } from '../setting.js'
import { addFlags, readFlags } from '../setting-options.js'
import { AVOID_MAX, name, PREFER_MAX, TAGS_MAX, weights } from '../wish.js'

const EXAMPLES = `
Examples:
  $ boson steer fra-1                              what holds
  $ boson steer fra-1 --groups paid --cost 2 --max-sessions 100
  $ boson steer alice --pin fra-1
  $ boson steer alice --avoid ams-1,ams-2 --weigh rtt=2,price=0
  $ boson steer alice --clear pin,avoid            --clear all forgets everything

What is given replaces what was there; the rest stays, over restarts too. It acts at once: routes that are
wrong by it move to other nodes, or stay when there is none. Nodes are drained by \`boson drain\`.`

const NODE_FLAGS = {
  groups: flag(list(name, TAGS_MAX), 'Node: the groups it is in.'),
  tags: flag(list(name, TAGS_MAX), 'Node: tags beside those it gives itself.'),
  cost: flag(number(0, 1_000), 'Node: how dear it is; 1 is usual, 2 twice as dear.'),
  maxSessions: flag(whole(0, 1_000_000), 'Node: clients that it may carry at once.'),
}
const CLIENT_FLAGS = {
  pin: flag(name, 'Client: the only node that it may use.'),
  group: flag(name, 'Client: the only group whose nodes it may use.'),
  prefer: flag(list(name, PREFER_MAX), 'Client: nodes that it uses when one of them qualifies.'),
  avoid: flag(list(name, AVOID_MAX), 'Client: nodes that it uses only when no other qualifies.'),
  weigh: flag(weights, 'Client: how much terms of the cost count, such as rtt=2,price=0.'),
}
const LAID_DOWN = { ...NODE_FLAGS, ...CLIENT_FLAGS }
type Flag = keyof typeof LAID_DOWN

const NAMES = Object.keys(LAID_DOWN).map(nameOf)
const FLAGS = {
  ...LAID_DOWN,
  clear: flag(
    {
      ...list(matching(new RegExp(`^(all|${NAMES.join('|')})$`), 'a name')),
      wanted: `all, or any of ${NAMES.join(', ')}`,
    },
    'What holds no more: names of the flags above, or all.',
  ),
}

/** What a flag sets. */
const FIELDS: Readonly<Record<Flag, Exclude<keyof Steering, 'drained' | 'drainedUntilMs'>>> = {
  groups: 'groups',
  tags: 'tags',
  cost: 'costWeight',
  maxSessions: 'maxSessions',
  pin: 'pin',
  group: 'group',
  prefer: 'prefer',
  avoid: 'avoid',
  weigh: 'weights',
}
const FLAGS_OF: Readonly<Record<Role, readonly Flag[]>> = {
  node: Object.keys(NODE_FLAGS) as Flag[], // its keys are among them
  client: Object.keys(CLIENT_FLAGS) as Flag[], // likewise
}
const UNSET: Readonly<Record<Role, string>> = {
  node: 'A dash: nothing is laid down, and what the node says of itself holds.',
  client: 'A dash: nothing is laid down, and what the client asks for holds.',
}

/** Returns the command. */
export const steerCommand = (): Command =>
  addOperatorOptions(addFlags(new Command('steer'), FLAGS))
    .description('lay down how a node or a client is used, or show what holds')
    .argument('<id>', 'of a node or a client')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (id: string, options: Record<string, unknown>) => {
      const given = readFlags(FLAGS, options)
      const operator = new Operator(options)
      const path = `/api/v1/identities/${encodeURIComponent(id)}/steering`
      const before = await operator.ask<SteeringView>('GET', path)
      const change = changeOf(given, before.role)
      const nothing = Object.keys(change).length === 0
      const view = nothing ? before : await operator.ask<SteeringView>('PATCH', path, change)
      process.stdout.write(`${options['json'] === true ? JSON.stringify(view) : steeringPage(view)}\n`)
    })

/** Returns what a person sees. */
export function steeringPage({ id, role, steering }: SteeringView): string {
  const rows = FLAGS_OF[role].map(key => [nameOf(key), shown(steering[FIELDS[key]])])
  const page = columns(
    [role.toUpperCase(), id],
    [...rows, ...(role === 'node' ? [['drained', steering.drained ? 'yes' : 'no']] : [])],
  )
  return rows.some(([, value]) => value === null) ? `${page}\n\n${UNSET[role]}` : page
}

/** Returns the change that the flags stand for: what is cleared first, then what is set. */
function changeOf(given: ReturnType<typeof readFlags<typeof FLAGS>>, role: Role): Partial<Steering> {
  const keys = Object.keys(LAID_DOWN) as Flag[] // its keys are the flags
  const cleared = keys.filter(
    key =>
      given.clear?.includes(nameOf(key)) || (given.clear?.includes('all') && FLAGS_OF[role].includes(key)),
  )
  const set = keys.filter(key => given[key] !== null)
  return Object.fromEntries([
    ...cleared.map(key => [FIELDS[key], NO_STEERING[FIELDS[key]]]),
    ...set.map(key => [FIELDS[key], given[key]]),
  ])
}

function shown(value: Steering[keyof Steering]): string | null {
  if (value === null || typeof value !== 'object') return value === null ? null : String(value)
  const parts = Array.isArray(value) ? value : Object.entries(value).map(pair => pair.join('='))
  return parts.length === 0 ? null : parts.join(', ')
}

/** `maxSessions` is `max-sessions`. */
function nameOf(key: string): string {
  return flagOf(key).slice(2)
}
