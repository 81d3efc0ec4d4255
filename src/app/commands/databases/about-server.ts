/** What the commands about one server have in common. */
import { Command } from 'commander'
import { addOperatorOptions } from '../../operator.js'

/** As commander gives them. */
export type Options = Readonly<Record<string, unknown>>

/** Returns a command about one server. */
export const aboutServer = (name: string, description: string): Command =>
  addOperatorOptions(new Command(name)).description(description).argument('<name>', 'of the server')

/** Returns the options of a command, and those that stand before its name; its own count first. */
export const optionsOf = (command: Command): Options => ({ ...command.parent?.opts(), ...command.opts() })

/** Returns where a server is asked about. */
export const serverPath = (name: string): string => `/pgmon/servers/${encodeURIComponent(name)}`

export const print = (text: string): void => void process.stdout.write(`${text}\n`)

export const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** Returns rows of names and values, the unknown ones left out. */
export function facts(rows: readonly (readonly [name: string, value: string | null])[]): string {
  const known = rows.filter(([, value]) => value !== null && value !== '')
  const width = Math.max(0, ...known.map(([name]) => name.length)) + 2
  return known.map(([name, value]) => `${name.padEnd(width)}${value}`).join('\n')
}
