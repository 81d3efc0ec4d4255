/** The generators of load: compiled when their source has changed. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const FLAGS = ['-O3', '-std=c++17']

/** No load can be made here; the message says what to install. */
export class NoCompilerError extends Error {
  readonly code = 'NO_COMPILER'
}

const built = new Map<string, string>()

/** Returns the path of a program of this folder, compiling it first when there is none of its source. */
export function compiled(name: 'wsload.cpp' | 'turnload.cpp' | 'httpload.cpp'): string {
  const found = built.get(name)
  if (found !== undefined) return found
  const source = join(ROOT, 'bench/load', name)
  const hash = createHash('sha256')
    .update(readFileSync(source))
    .update(FLAGS.join(' '))
    .digest('hex')
    .slice(0, 16)
  const folder = existsSync(join(ROOT, 'node_modules'))
    ? join(ROOT, 'node_modules/.cache/bench')
    : join(tmpdir(), 'boson-bench')
  const program = join(folder, `${basename(name, '.cpp')}-${hash}`)
  if (!existsSync(program)) compile(source, program, folder)
  built.set(name, program)
  return program
}

function compile(source: string, program: string, folder: string): void {
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
  const { status, stderr } = spawnSync(compiler, [...FLAGS, '-o', fresh, source], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${compiler} could not compile ${source}:\n${stderr}`)
  renameSync(fresh, program)
}
