/** `boson version`: what is running, for people and for bug reports. */
import { Command } from 'commander'
import { SUBPROTOCOL } from '../../protocol/timing.js'
import { VERSION } from '../version.js'

/** Returns the command. */
export const versionCommand = (): Command =>
  new Command('version')
    .description('print the version')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ boson version --json')
    .action(({ json }: { json?: boolean }) => {
      const facts = { version: VERSION, protocol: SUBPROTOCOL, node: process.version }
      process.stdout.write(json === true ? `${JSON.stringify(facts)}\n` : `BosonServer ${VERSION}\n`)
    })
