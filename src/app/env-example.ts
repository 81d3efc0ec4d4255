/** Makes `.env.example` from the settings: every one, with its default and what it is for. */
import { CLIENT_SETTINGS, NODE_SETTINGS } from './agent-settings.js'
import type { Setting } from './setting.js'
import { SETTINGS } from './settings.js'

/** Returns the text of `.env.example`. */
export function envExample(): string {
  const coordinator = Object.values(SETTINGS).map(setting => part(setting, false))
  return `${HEAD}\n\n${coordinator.join('\n\n')}\n\n${POSTGRES}\n\n${AGENTS}\n\n${agentParts().join('\n\n')}\n`
}

/** What agents read, node and client together; everything is commented out: a coordinator's file has none of it. */
function agentParts(): readonly string[] {
  const own = new Map<string, Setting>()
  for (const setting of [...Object.values(NODE_SETTINGS), ...Object.values(CLIENT_SETTINGS)])
    if (!own.has(setting.env)) own.set(setting.env, setting)
  for (const { env } of Object.values(SETTINGS)) own.delete(env)
  return [...own.values()].map(setting => part(setting, true))
}

function part({ env, doc, fallback, example, secret }: Setting, off: boolean): string {
  const value = valueOf(fallback, example)
  const shown = value === '' && !secret && example !== '' ? `\n# for example ${env}=${example}` : ''
  return `# ${doc}${shown}\n${off || value === '' ? '#' : ''}${env}=${value}`
}

/** A default that is spelled in another way than it is kept (24h) has its spelling as its example. */
function valueOf(fallback: unknown, example: string): string {
  if (Array.isArray(fallback)) return fallback.join(',')
  if (typeof fallback === 'number' && example !== '') return example
  return JSON.stringify(fallback ?? '').replaceAll('"', '')
}

const HEAD = `# Settings of the coordinator. Copy this file to .env and change what you need; every line may be left out.
# Precedence: flags of \`boson server\`, then the environment (.env is part of it), then the file that
# --config or BOSON_CONFIG names, then the defaults shown here.`

const POSTGRES = `# Another spelling of DATABASE_URL, used when POSTGRES_HOST is set and DATABASE_URL is not.
#POSTGRES_HOST=
#POSTGRES_PORT=5432
#POSTGRES_DB=bosonserver
#POSTGRES_USER=bosonserver
#POSTGRES_PASSWORD=

# A JSON file with settings; its keys are the flags without dashes, such as "dataDir".
#BOSON_CONFIG=`

const AGENTS = `# Settings of \`boson node\` and \`boson client\`, with the same precedence. LOG_LEVEL is warn for them.`
