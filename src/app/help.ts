/** How `--help` is laid out: commands by what they are for, and what is everywhere the same after what is not. */
import type { Command, HelpConfiguration, Option } from 'commander'

/** Heading of the flags that say which coordinator is asked: nearly every command has them. */
export const WHICH_COORDINATOR = 'Which coordinator:'

/** Commands by what they are for; the others stand under the last heading. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  'Run:': ['server', 'node', 'client', 'demo'],
  'See:': ['status', 'nodes', 'clients', 'routes', 'paths', 'databases', 'actors', 'audit', 'log'],
  'Ask why:': ['why', 'explain', 'netcheck', 'doctor', 'bundle'],
  'Act:': ['route', 'steer', 'drain', 'kick', 'revoke', 'reprobe', 'jobs', 'log-level'],
  'Let in:': ['enrol', 'users', 'peers'],
}
const OTHERS = 'More:'

/** Lays out the help of a command. */
export function layOut(command: Command): void {
  command.configureHelp(LAYOUT)
  for (const each of command.commands) if (command.parent === null) each.helpGroup(groupOf(each.name()))
}

const LAYOUT: HelpConfiguration = {
  sortOptions: false,
  groupItems: <T extends Command | Option>(unsorted: T[], visible: T[], headingOf: (item: T) => string) => {
    const groups = new Map<string, T[]>()
    for (const item of [...unsorted, ...visible]) groups.set(headingFor(item, headingOf), [])
    for (const item of visible) groups.get(headingFor(item, headingOf))?.push(item)
    return new Map([...groups].sort(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b)))
  },
}

const ORDER = [...Object.keys(GROUPS), 'Options:', WHICH_COORDINATOR, 'Commands:', OTHERS]

/** The `help` command that commander adds has no heading of its own. */
const headingFor = <T extends Command | Option>(item: T, headingOf: (item: T) => string): string =>
  item.name() === 'help' && !('long' in item) && headingOf(item) === 'Commands:' ? OTHERS : headingOf(item)

const groupOf = (name: string): string =>
  Object.keys(GROUPS).find(group => GROUPS[group]?.includes(name) === true) ?? OTHERS
