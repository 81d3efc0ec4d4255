/** `boson bundle`: everything that somebody who helps asks for first, in one file. */
import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { Command } from 'commander'
import { messageOf } from '../agent-errors.js'
import { asBytes } from '../columns.js'
import { CommandError } from '../exit-codes.js'
import { addOperatorOptions, Operator } from '../operator.js'

const EXAMPLES = `
Examples:
  $ boson bundle                         boson-SERVER-TIME.json.gz in this directory
  $ boson bundle --out help.json.gz      another file; .json is not compressed
  $ boson bundle --out - | jq .health    to standard output

Version, settings, health, figures, statecharts, the last lines of the log, and the first 200 of each list. No secret is in
it; the names and addresses of nodes and clients are.`

interface Bundle {
  readonly serverId: string
  readonly takenAt: string
}

/** Returns the command. */
export const bundleCommand = (): Command =>
  addOperatorOptions(new Command('bundle'))
    .description('write everything that somebody who helps asks for first into one file')
    .option('--out <file>', 'ending in .json.gz or .json; - is standard output')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Record<string, unknown>) => {
      const bundle = await new Operator(options).ask<Bundle>('GET', '/api/v1/bundle')
      const out = typeof options['out'] === 'string' ? options['out'] : nameOf(bundle)
      const text = `${JSON.stringify(bundle, null, 2)}\n`
      if (out === '-') return void process.stdout.write(text)
      const bytes = out.endsWith('.gz') ? gzipSync(text) : Buffer.from(text)
      write(out, bytes)
      process.stderr.write(
        `${out}: ${asBytes(bytes.length)}; no secret is in it, but names and addresses are\n`,
      )
    })

const nameOf = ({ serverId, takenAt }: Bundle): string =>
  `boson-${serverId}-${takenAt.slice(0, 19).replace(/[-:]/g, '')}.json.gz`

/** Readable by its owner only: it names everyone in the mesh. */
function write(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    throw new CommandError('OUT', `--out: wanted a file that can be made (${messageOf(error)})`)
  }
}
