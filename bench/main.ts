/**
 * `npm run bench -- [NAME…] [--all] [--json] [--rounds N] [--quick]`
 *
 * A NAME is a bench (`relay`), a case of it (`relay/1300B-single`) or the beginning of several
 * (`sessions/lifecycle`). Figures go to stdout, progress to stderr.
 */
import { parseArgs } from 'node:util'
import { type Bench, type Case, type Settings, UnableError } from './bench.js'
import { frames } from './cases/frames.js'
import { paths } from './cases/paths.js'
import { relay } from './cases/relay.js'
import { sessions } from './cases/sessions.js'
import { turn } from './cases/turn.js'
import { NoCompilerError } from './load/compiled.js'
import { profileInto } from './processes.js'
import { type Figure, short, table } from './report.js'

const BENCHES: readonly Bench[] = [frames, paths, relay, sessions, turn]
/** Fewer have no middle that is worth the name. */
const ROUNDS = 3
const EXIT = { failed: 1, usage: 2, noCompiler: 3 }

const usage = () => `Usage: npm run -s bench -- [NAME…] [--all] [--json] [--rounds N] [--quick]

  NAME        a bench or a case: ${BENCHES.map(b => b.name).join(', ')}, relay/1300B-single …
  --all       every bench; the same as no NAME
  --list      says what there is, and measures nothing
  --json      figures as JSON instead of a table
  --rounds N  rounds of each case, 1 or more (default ${ROUNDS})
  --quick     short runs that show a bench works; not to quote
  --profile DIR  every server leaves a CPU profile there; its figures are not to quote

Example: npm run -s bench -- relay sessions/heartbeats --json
`

class UsageError extends Error {}

function read(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        all: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        rounds: { type: 'string', default: String(ROUNDS) },
        profile: { type: 'string' },
      },
    })
    const rounds = Number(values.rounds)
    if (!(Number.isInteger(rounds) && rounds > 0))
      throw new UsageError(`--rounds: wanted a whole number above 0, not ${values.rounds}`)
    return { ...values, rounds, chosen: choose(values.all ? [] : positionals) }
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message) // parseArgs throws Errors
  }
}

/** Returns the cases that the names mean; all without a name. */
function choose(names: readonly string[]): { bench: Bench; one: Case }[] {
  const all = BENCHES.flatMap(bench => bench.cases.map(one => ({ bench, one })))
  const meant = (name: string) =>
    all.filter(({ bench, one }) => {
      const full = `${bench.name}/${one.name}`
      return full === name || full.startsWith(`${name}/`) || full.startsWith(`${name}-`)
    })
  for (const name of names) {
    if (meant(name).length === 0)
      throw new UsageError(`no bench or case is called ${name}; --list says what there is`)
  }
  return names.length === 0 ? all : all.filter(one => names.some(name => meant(name).includes(one)))
}

async function run({ chosen, rounds, quick, json, profile }: ReturnType<typeof read>): Promise<void> {
  if (profile !== undefined) profileInto(profile)
  const figures: Figure[] = []
  for (const { bench, one } of chosen) {
    const name = `${bench.name}/${one.name}`
    const settings: Settings = {
      rounds,
      quick,
      say: text => process.stderr.write(`\r\x1b[K${name}: ${text}`),
    }
    const result = await one.measure(settings).catch(unable)
    if (result instanceof UnableError) {
      settings.say(`left out: ${result.message}\n`)
      continue
    }
    const judged =
      result.target === undefined ? {} : { met: result.ratio >= result.target && result.met !== false }
    figures.push({ bench: bench.name, case: one.name, ...result, ...judged })
    settings.say(`${short(result.value)} ${result.unit}, ratio ${result.ratio.toFixed(2)}\n`)
  }
  process.stdout.write(json ? `${JSON.stringify(figures, null, 1)}\n` : `\n${table(figures)}\n`)
}

/** Returns an UnableError, and throws every other. */
function unable(error: unknown): UnableError {
  if (error instanceof UnableError) return error
  throw error
}

function list(): string {
  return BENCHES.map(
    bench =>
      `${bench.name}: ${bench.about}\n${bench.cases.map(one => `  ${bench.name}/${one.name.padEnd(24)} ${one.about}\n`).join('')}`,
  ).join('\n')
}

try {
  const asked = read(process.argv.slice(2))
  if (asked.help) process.stdout.write(usage())
  else if (asked.list) process.stdout.write(list())
  else await run(asked)
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`bench: ${error.message}\n\n${usage()}`)
    process.exitCode = EXIT.usage
  } else {
    process.stderr.write(
      `\nbench: ${error instanceof NoCompilerError ? error.message : (error as Error).stack}\n`,
    )
    process.exit(error instanceof NoCompilerError ? EXIT.noCompiler : EXIT.failed)
  }
}
