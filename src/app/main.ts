/** The `boson` command. Data goes to standard output, everything else to the error output. */
import { existsSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { actorsCommand } from './commands/actors.js'
import { backupCommand } from './commands/backup.js'
import { bundleCommand } from './commands/bundle.js'
import { clientCommand } from './commands/client.js'
import { databasesCommand } from './commands/databases/command.js'
import { demoCommand } from './commands/demo.js'
import { doctorCommand } from './commands/doctor.js'
import { drainCommand } from './commands/drain.js'
import { enrolCommand } from './commands/enrol.js'
import { explainCommand } from './commands/explain.js'
import { interventionCommands } from './commands/interventions.js'
import { jobsCommand } from './commands/jobs.js'
import { listCommands } from './commands/lists.js'
import { logCommand } from './commands/log.js'
import { logLevelCommand } from './commands/log-level.js'
import { migrateCommand } from './commands/migrate.js'
import { netcheckCommand } from './commands/netcheck.js'
import { nodeCommand } from './commands/node.js'
import { serverCommand } from './commands/server.js'
import { pathsCommand } from './commands/paths.js'
import { peersCommand } from './commands/peers.js'
import { reportCommand } from './commands/report.js'
import { restoreCommand } from './commands/restore.js'
import { routeCommand } from './commands/route.js'
import { statusCommand } from './commands/status.js'
import { steerCommand } from './commands/steer.js'
import { usersCommand } from './commands/users.js'
import { versionCommand } from './commands/version.js'
import { whyCommand } from './commands/why.js'
import { EXIT } from './exit-codes.js'
import { layOut } from './help.js'
import { EXIT_CODES_HELP, exitCodeOf, reportOf } from './exit-report.js'

/** Runs the command line and sets the exit code. */
async function main(args: readonly string[]): Promise<void> {
  // The working directory's .env is part of the environment; what is set already counts first.
  if (existsSync('.env')) process.loadEnvFile('.env')
  // Whoever reads our output may stop reading, as `head` does.
  process.stdout.on('error', error =>
    process.exit('code' in error && error.code === 'EPIPE' ? EXIT.ok : EXIT.failed),
  )
  try {
    await program().parseAsync(args, { from: 'user' })
  } catch (error) {
    process.exitCode = exitCodeOf(error)
    // Commander has said what was wrong with the command line.
    if (!(error instanceof CommanderError)) process.stderr.write(`${reportOf(error)}\n`)
  }
}

function program(): Command {
  const boson = new Command('boson')
    .description('The control plane of a WireGuard mesh: every node and client on one socket.')
    .addHelpText('after', EXIT_CODES_HELP)
    // What follows a command's name is that command's to read.
    .enablePositionalOptions()
  const commands = [
    serverCommand(),
    nodeCommand(),
    clientCommand(),
    enrolCommand(),
    usersCommand(),
    peersCommand(),
    statusCommand(),
    ...listCommands(),
    pathsCommand(),
    databasesCommand(),
    whyCommand(),
    actorsCommand(),
    explainCommand(),
    routeCommand(),
    steerCommand(),
    drainCommand(),
    ...interventionCommands(),
    jobsCommand(),
    logCommand(),
    logLevelCommand(),
    bundleCommand(),
    backupCommand(),
    restoreCommand(),
    migrateCommand(),
    netcheckCommand(),
    doctorCommand(),
    reportCommand(),
    demoCommand(),
    versionCommand(),
  ]
  for (const command of commands) boson.addCommand(command)
  for (const command of [boson, ...commands, ...commands.flatMap(each => each.commands)]) {
    command.exitOverride().showHelpAfterError('(add --help for the options)')
    layOut(command)
  }
  return boson
}

await main(process.argv.slice(2))
