/** Asks a running coordinator over HTTP, as the operator: what `boson enrol` and `boson status` have in common. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { meshUrl } from '../agent/index.js'
import { coordinatorAddress } from './agent-settings.js'
import { CommandError, EXIT } from './exit-codes.js'
import { WHICH_COORDINATOR } from './help.js'
import { BadConfig, readSettings } from './read-settings.js'
import { TOKEN_FILE } from './secrets.js'
import { optional, secret } from './setting.js'
import { addSettings, sourcesOf } from './setting-options.js'
import { SETTINGS } from './settings.js'

const OPERATOR_SETTINGS = {
  server: optional('BOSON_SERVER', coordinatorAddress, {
    doc: 'The coordinator. When not set: the one on this machine.',
    example: 'https://mesh.example.org',
  }),
  port: SETTINGS.port,
  dataDir: SETTINGS.dataDir,
  secretToken: secret('SECRET_TOKEN', { doc: 'The operator’s token.' }),
}

/** An answer may take this long, ms. */
const PATIENCE_MS = 10_000

/** Adds the flags that say which coordinator to ask, and with which token. */
export function addOperatorOptions(command: Command): Command {
  const before = new Set(command.options)
  addSettings(command, OPERATOR_SETTINGS).option(
    '--token <token>',
    'the operator’s token; better in SECRET_TOKEN. When not set: the one in the data directory',
  )
  for (const option of command.options) if (!before.has(option)) option.helpGroup(WHICH_COORDINATOR)
  return command
}

export class Operator {
  readonly url: string
  readonly #token: string

  /** `options` are those of the command line. Throws a CommandError when there is no token. */
  constructor(options: Readonly<Record<string, unknown>>) {
    const problems: string[] = []
    const settings = readSettings(OPERATOR_SETTINGS, sourcesOf(OPERATOR_SETTINGS, options), problems)
    if (problems.length > 0) throw new BadConfig(problems)
    this.url = httpUrl(settings.server ?? `http://127.0.0.1:${settings.port}`)
    const given = typeof options['token'] === 'string' ? options['token'] : settings.secretToken
    this.#token = given ?? tokenOf(settings.dataDir)
  }

  /** Resolves with the answer, null where there is nothing to say, or rejects with a CommandError that says what to do. */
  async ask<T>(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    patienceMs = PATIENCE_MS,
  ): Promise<T> {
    const response = await this.#send(method, path, body, patienceMs)
    const answer = (await response.json().catch(() => null)) as (T & { error?: { message?: string } }) | null
    if (response.status === 204 || (response.ok && answer !== null)) return answer as T
    const said = answer?.error?.message ?? `HTTP status ${response.status}`
    if (response.status === 401)
      throw new CommandError(
        'REFUSED',
        `${this.url} does not take this token: wanted its SECRET_TOKEN or the token of an account, by --token or in the environment`,
        EXIT.refused,
      )
    // An answer that breaks off is one of a coordinator that is ending.
    const exitCode = response.ok ? EXIT.unreachable : response.status === 403 ? EXIT.refused : EXIT.failed
    throw new CommandError('ANSWERED', `${this.url} answered: ${said}`, exitCode)
  }

  async #send(method: string, path: string, body: object | undefined, patienceMs: number): Promise<Response> {
    try {
      return await fetch(`${this.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
        signal: AbortSignal.timeout(patienceMs),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
    } catch (error) {
      throw new CommandError(
        'UNREACHABLE',
        `no coordinator answers at ${this.url} (${reasonOf(error)}): start one with \`boson server\`, or name it with --server`,
        EXIT.unreachable,
      )
    }
  }
}

/** Agents' addresses are WebSocket ones; the pages are on the same port. */
const httpUrl = (server: string): string => new URL(meshUrl(server).replace(/^ws/, 'http')).origin

function tokenOf(dataDir: string): string {
  const path = join(dataDir, TOKEN_FILE)
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    throw new CommandError(
      'NO_TOKEN',
      `wanted the operator’s token: by --token, in SECRET_TOKEN, or in ${path}, which \`boson server\` makes`,
      EXIT.usage,
    )
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code
  return cause instanceof Error ? cause.message : String(cause)
}
