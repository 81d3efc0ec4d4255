/** Makes `.env.example` from the settings: every one, with its default and what it is for. */
import { entries } from './config.js'

/** Returns the text of `.env.example`. */
export function envExample(): string {
  const parts = entries().map(([, { env, doc, fallback, example, secret }]) => {
    const value = Array.isArray(fallback)
      ? fallback.join(',')
      : JSON.stringify(fallback ?? '').replaceAll('"', '')
    const shown = value === '' && !secret && example !== '' ? `\n# for example ${env}=${example}` : ''
    return `# ${doc}${shown}\n${value === '' ? '#' : ''}${env}=${value}`
  })
  return `${HEAD}\n\n${parts.join('\n\n')}\n\n${POSTGRES}\n`
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
