/** The load generator: compiled when its source has changed, run with options, answering with what it measured. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CLIENT_CORE, startOn } from '../processes.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const SOURCE = join(ROOT, 'bench/load/wsload.cpp')
const FLAGS = ['-O3', '-std=c++17']

/** Options of `wsload.cpp` by their names there. */
export type LoadOptions = Readonly<Record<string, string | number>> & { readonly port: number }

/** What the generator measured in its window. A share of 1 is one core. */
export interface Load {
  readonly count: number
  readonly seconds: number
  readonly perSecond: number
  readonly frames: number
  readonly lost: number
  /** Messages that a paced run could not send in time. */
  readonly skipped: number
  readonly serverBusy: number
  readonly clientBusy: number
  /** What others on this machine used. */
  readonly foreignBusy: number
  readonly serverMicros: number
  /** Latency, µs. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly rssBytes: number
  readonly openSeconds: number
  /** Server CPU per connection while they were opened, µs. */
  readonly openServerMicros: number
}

/** No load can be made here; the message says what to install. */
export class NoCompilerError extends Error {
  readonly code = 'NO_COMPILER'
}

export interface Watch {
  /** The window begins. */
  readonly measuring?: () => unknown
  /** The window is over and the connections are still there. */
  readonly held?: () => unknown
}

/** Runs the generator to its end. */
export async function load(options: LoadOptions, watch: Watch = {}): Promise<Load> {
  const args = Object.entries({ ...options, hold: watch.held === undefined ? 0 : 1 })
  const child = startOn(
    CLIENT_CORE,
    generator(),
    args.map(([key, value]) => `${key}=${value}`),
  )
  await child.line()
  await watch.measuring?.()
  const result = JSON.parse(await child.line()) as Load // wsload prints these fields
  await watch.held?.()
  await child.end()
  return result
}

let built: string | undefined

/** Returns the path of the generator, compiling it first when there is none of this source. */
function generator(): string {
  if (built !== undefined) return built
  const hash = createHash('sha256')
    .update(readFileSync(SOURCE))
    .update(FLAGS.join(' '))
    .digest('hex')
    .slice(0, 16)
  const folder = existsSync(join(ROOT, 'node_modules'))
    ? join(ROOT, 'node_modules/.cache/bench')
    : join(tmpdir(), 'boson-bench')
  const program = join(folder, `wsload-${hash}`)
  if (!existsSync(program)) compile(program, folder)
  return (built = program)
}

function compile(program: string, folder: string): void {
  mkdirSync(folder, { recursive: true })
  const compiler = [process.env['CXX'], 'c++', 'g++', 'clang++'].find(
    name => name !== undefined && spawnSync(name, ['--version']).status === 0,
  )
  if (compiler === undefined) {
    throw new NoCompilerError(
      'the load generator needs a C++ compiler: install g++ (or set CXX), then run this again',
    )
  }
  // Two benches may compile at once: each writes its own file, and the last rename wins.
  const fresh = `${program}.${process.pid}`
  const { status, stderr } = spawnSync(compiler, [...FLAGS, '-o', fresh, SOURCE], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${compiler} could not compile ${SOURCE}:\n${stderr}`)
  renameSync(fresh, program)
}
