/**
 * `npm run bench -- [NAME…] [--all] [--json] [--rounds N] [--quick]`
 * `npm run bench -- --compare BEFORE.json AFTER.json`
 *
 * A NAME is a bench (`relay`), a case of it (`relay/1300B-single`) or the beginning of several
 * (`sessions/lifecycle`). Figures go to stdout, progress to stderr. `--all --json` leaves a record as well.
 */
import { parseArgs } from 'node:util'
import { type Bench, type Case, type Settings, UnableError } from './bench.js'
import { failover } from './cases/failover.js'
import { chooseBench } from './cases/choose.js'
import { frames } from './cases/frames.js'
import { inspector } from './cases/inspector.js'
import { paths } from './cases/paths.js'
import { pgmon } from './cases/pgmon.js'
import { relay } from './cases/relay.js'
import { rest } from './cases/rest.js'
import { sessions } from './cases/sessions.js'
import { snapshot } from './cases/snapshot.js'
import { storm } from './cases/storm.js'
import { turn } from './cases/turn.js'
import { NoCompilerError } from './load/compiled.js'
import { profileInto } from './processes.js'
import { beginRecord, compare } from './record.js'
import { type Measured, short, table } from './report.js'

const BENCHES: readonly Bench[] = [
  chooseBench,
  failover,
  frames,
  inspector,
  paths,
  pgmon,
  relay,
  rest,
  sessions,
  snapshot,
  storm,
  turn,
]
/** Fewer have no middle that is worth the name. */
const ROUNDS = 3
const EXIT = { failed: 1, usage: 2, noCompiler: 3 }

const usage = () => `Usage: npm run -s bench -- [NAME…] [--all] [--json] [--rounds N] [--quick]

  NAME        a bench or a case: ${BENCHES.map(b => b.name).join(', ')}, relay/1300B-single …
  --all       every bench; the same as no NAME
  --list      says what there is, and measures nothing
  --json      figures as JSON instead of a table; with --all also in a file, whose path is said on stderr
  --rounds N  rounds of each case, 1 or more (default ${ROUNDS})
  --quick     short runs that show a bench works; not to quote
  --profile DIR  every server leaves a CPU profile there; its figures are not to quote

  --compare BEFORE.json AFTER.json   what became of each figure between two runs

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
        compare: { type: 'boolean', default: false },
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
    if (values.compare && positionals.length !== 2) throw new UsageError('--compare: wanted two files')
    const chosen = choose(values.all || values.compare ? [] : positionals)
    return { ...values, rounds, chosen, files: positionals }
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

async function run(asked: ReturnType<typeof read>): Promise<void> {
  const { rounds, quick, json } = asked
  if (asked.profile !== undefined) profileInto(asked.profile)
  const finish = asked.all && json ? beginRecord({ rounds, quick }) : null
  const measured: Measured[] = []
  for (const { bench, one } of asked.chosen) {
    const say = (text: string) => void process.stderr.write(`\r\x1b[K${bench.name}/${one.name}: ${text}`)
    measured.push({ bench: bench.name, case: one.name, ...(await measure(one, { rounds, quick, say })) })
  }
  process.stdout.write(json ? `${JSON.stringify(measured, null, 1)}\n` : `\n${table(measured)}\n`)
  if (finish !== null) process.stderr.write(`written to ${finish(measured)}\n`)
}

/** Measures one case. A run of an hour does not end because one of its cases cannot be measured. */
async function measure(one: Case, settings: Settings) {
  try {
    const result = await one.measure(settings)
    const judged =
      result.target === undefined ? {} : { met: result.ratio >= result.target && result.met !== false }
    settings.say(`${short(result.value)} ${result.unit}, ratio ${result.ratio.toFixed(2)}\n`)
    return { ...result, ...judged }
  } catch (error) {
    const { message, stack } = error as Error // cases throw Errors
    if (error instanceof NoCompilerError) process.exitCode ??= EXIT.noCompiler
    if (error instanceof UnableError || error instanceof NoCompilerError) {
      settings.say(`skipped: ${message}\n`)
      return { skipped: message }
    }
    process.exitCode = EXIT.failed
    settings.say(`failed: ${stack}\n`)
    return { failed: message }
  }
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
  else if (asked.compare) process.stdout.write(`${compare(asked.files[0] ?? '', asked.files[1] ?? '')}\n`)
  else await run(asked)
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`bench: ${error.message}\n\n${usage()}`)
    process.exitCode = EXIT.usage
  } else {
    process.stderr.write(`\nbench: ${(error as Error).stack}\n`)
    process.exitCode = EXIT.failed
  }
}
