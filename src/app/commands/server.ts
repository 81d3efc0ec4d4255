/** `boson server`: the coordinator. */
import { Command } from 'commander'
import { readConfig } from '../config.js'
import { addSettings, sourcesOf } from '../setting-options.js'
import { SETTINGS } from '../settings.js'

const EXAMPLES = `
Examples:
  $ boson server
  $ PORT=8443 boson server --tls-cert fullchain.pem --tls-key privkey.pem --data-dir /var/lib/boson
  $ DATABASE_URL=postgres://boson@db/boson NODE_ENV=production boson server

SIGTERM tells every agent when to come back and writes what is not written yet; SIGHUP reads the certificate again.`

/** Returns the command. */
export const serverCommand = (): Command =>
  addSettings(new Command('server'), SETTINGS)
    .description('run the coordinator')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Record<string, unknown>) => {
      const config = readConfig(sourcesOf(SETTINGS, options))
      // Loaded when it is wanted: the database is most of what there is to load.
      const { serve } = await import('../serve.js')
      await serve(config, process.env)
    })
