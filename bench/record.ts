/**
 * A run as a file: what was measured, on which machine, of which commit, so that a script can tell two of them
 * apart. JSON with a figure per line; `bench/README.md` describes it.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { type Figure, isFigure, layOut, type Measured, short } from './report.js'

export interface BenchRecord {
  readonly schema: 1
  /** The commit that was measured; null where git cannot say. */
  readonly commit: string | null
  /** Whether files differed from that commit. */
  readonly changed: boolean
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly tookS: number
  readonly rounds: number
  /** Short runs: not to quote. */
  readonly quick: boolean
  readonly machine: Machine
  readonly figures: readonly Measured[]
}
interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly os: string
  readonly node: string
  /** Average of the minute before the run: above 0.5 others were at work. */
  readonly load1: number
}

/** Records go here, below the folder of the caller. */
const FOLDER = 'bench-results'

/** Begins a record; what is returned finishes it with the figures, and returns the path of its file. */
export function beginRecord(settings: Pick<BenchRecord, 'rounds' | 'quick'>) {
  const started = new Date()
  const commit = git('rev-parse', 'HEAD')
  const changed = git('status', '--porcelain') !== ''
  const machine = machineNow()
  return (figures: readonly Measured[]): string => {
    const startedAt = started.toISOString()
    const tookS = Math.round((Date.now() - started.getTime()) / 1e3)
    const record: BenchRecord = {
      schema: 1,
      commit,
      changed,
      startedAt,
      tookS,
      ...settings,
      machine,
      figures,
    }
    mkdirSync(FOLDER, { recursive: true })
    const name = `${startedAt.slice(0, 19).replaceAll(':', '-')}-${commit?.slice(0, 12) ?? 'unknown'}.json`
    const path = join(FOLDER, name)
    writeFileSync(path, spelled(record))
    return path
  }
}

/** Returns the record as JSON, a figure per line. */
function spelled({ figures, ...facts }: BenchRecord): string {
  const head = JSON.stringify(facts, null, 1).slice(0, -2)
  return `${head},\n "figures": [\n${figures.map(one => `  ${JSON.stringify(one)}`).join(',\n')}\n ]\n}\n`
}

/** Returns a table of the cases that both files measured, and what became of each; takes records and bare lists. */
export function compare(beforePath: string, afterPath: string): string {
  const before = figuresIn(beforePath)
  const rows: string[][] = []
  for (const [name, after] of figuresIn(afterPath)) {
    const earlier = before.get(name)
    if (earlier === undefined) continue
    rows.push([
      name,
      short(earlier.value),
      short(after.value),
      (after.value / earlier.value).toFixed(2),
      after.unit,
      earlier.ratio.toFixed(2),
      after.ratio.toFixed(2),
      (after.ratio / earlier.ratio).toFixed(2),
      after.target === undefined ? '' : `≥ ${after.target}`,
    ])
  }
  const head = [
    'case',
    'before',
    'after',
    'after/before',
    'unit',
    'ratio before',
    'ratio after',
    'after/before',
  ]
  return layOut([...head, 'target'], rows, new Set([1, 2, 3, 5, 6, 7]))
}

function figuresIn(path: string): Map<string, Figure> {
  const read = JSON.parse(readFileSync(path, 'utf8')) as BenchRecord | Measured[] // written by us
  const list = 'figures' in read ? read.figures : read
  return new Map(list.filter(isFigure).map(one => [`${one.bench}/${one.case}`, one]))
}

function machineNow(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${process.platform} ${release()} ${process.arch}`,
    node: process.versions.node,
    load1: loadavg()[0] ?? 0,
  }
}

function git(...args: readonly string[]): string | null {
  const { status, stdout } = spawnSync('git', [...args], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : null
}
