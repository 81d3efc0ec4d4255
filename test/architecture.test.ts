/**
 * Holds the shape of the repository: which room may import from which, no cycles, time and chance only
 * where they are handed out. Read from the built code, where nothing but run-time imports is left:
 * `import type` is free.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import t from 'tap'

const ROOT = resolve(import.meta.dirname, '../..')

/** The doors of each room. Opening one more belongs in a commit that says why. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  kit: [],
  protocol: ['kit'],
  mesh: ['kit', 'protocol'],
  actors: ['kit', 'protocol', 'mesh'],
  lanes: ['kit', 'protocol'],
  turn: ['kit', 'protocol'],
  store: ['kit', 'protocol'],
  http: ['kit', 'protocol'],
  edge: ['kit', 'protocol', 'lanes', 'http'],
  agent: ['kit', 'protocol', 'mesh', 'turn'],
  telemetry: ['kit', 'protocol'],
  rest: ['kit', 'protocol', 'http'],
  reports: ['kit', 'protocol', 'http'],
  ssh: ['kit', 'protocol'],
  access: ['kit', 'protocol', 'http', 'ssh'],
  pgmon: ['kit', 'protocol', 'http', 'ssh'],
  // The page says what NATs and nodes do in the mesh’s own words.
  inspector: ['kit', 'protocol', 'mesh', 'http'],
  app: [
    'kit',
    'protocol',
    'mesh',
    'actors',
    'lanes',
    'turn',
    'store',
    'http',
    'ssh',
    'edge',
    'agent',
    'telemetry',
    'rest',
    'reports',
    'access',
    'pgmon',
    'inspector',
  ],
}

/** Time and chance of the process itself. Everyone else is given a Clock and a Random. */
const CLOCKWORK =
  /(?<![.\w])(?:Date\.now|Math\.random|performance\.now|(?:setTimeout|setInterval|setImmediate)\(|new Date\(\))|node:timers/
/** Where the process's own time is the right one, and why. */
const SHELLS: Readonly<Record<string, string>> = {
  'kit/clock.js': 'hands out the process’s clock',
  'kit/random.js': 'hands out the process’s chance',
  'agent/held-clock.js': 'the process’s clock, with timers that keep it alive',
  'agent/wireguard/userspace.js': 'waits for a child process, and ends it when it will not end',
  'store/data-dir-lock.js': 'renews its mark in the file system for other processes to see',
  'store/pglite-thread.js': 'is the database’s own thread',
  'store/pglite-upkeep.js': 'runs in the database’s own thread',
  'store/turns.js': 'lets other work run in between; nothing is measured or awaited',
  'store/within.js': 'the end of a wait for a database, which keeps its own time',
}

interface Source {
  /** Path below src, as built: `actors/path/paths.js`. */
  readonly path: string
  readonly room: string
  readonly code: string
  /** What it imports at run time: files as paths below src, packages by name. */
  readonly files: readonly string[]
  readonly packages: readonly string[]
}

const sources = readSources()

t.test('rooms import only through their doors', async t => {
  const breaches = sources.flatMap(({ path, room, files }) =>
    files
      .filter(file => roomOf(file) !== room && MAY_IMPORT[room]?.includes(roomOf(file)) !== true)
      .map(file => `src/${path} imports ${file}: ${room} has no door to ${roomOf(file)}`),
  )
  t.same(breaches, [])
})

t.test('every folder of src is a room of the table, with a page that says what it is for', async t => {
  for (const entry of readdirSync(join(ROOT, 'src'), { withFileTypes: true })) {
    if (!entry.isDirectory()) continue
    t.ok(entry.name in MAY_IMPORT, `src/${entry.name} is in the table`)
    t.ok(existsSync(join(ROOT, 'src', entry.name, 'README.md')), `src/${entry.name}/README.md`)
  }
})

t.test('no file imports itself by way of others', async t => {
  const byPath = new Map(sources.map(source => [source.path, source]))
  const cycles: string[] = []
  const done = new Set<string>()
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) {
      cycles.push([...way.slice(way.indexOf(path)), path].join(' → '))
    } else if (!done.has(path)) {
      for (const next of byPath.get(path)?.files ?? []) visit(next, [...way, path])
      done.add(path)
    }
  }
  for (const { path } of sources) visit(path, [])
  t.same(cycles, [])
})

t.test('what is imported is there', async t => {
  const paths = new Set(sources.map(source => source.path))
  const missing = sources.flatMap(({ path, files }) =>
    files.filter(file => !paths.has(file)).map(file => `src/${path} imports ${file}`),
  )
  t.same(missing, [])
})

t.test('time and chance come as arguments, except in the shells', async t => {
  const uses = sources
    .filter(({ path }) => !(path in SHELLS))
    .map(({ path, code }) => `src/${path}: ${CLOCKWORK.exec(code)?.[0] ?? ''}`)
  t.same(
    uses.filter(use => !use.endsWith(': ')),
    [],
  )
  const paths = sources.map(source => source.path)
  t.same(
    Object.keys(SHELLS).filter(shell => !paths.includes(shell)),
    [],
    'no shell is listed that is gone',
  )
})

t.test('statecharts and the pure rooms perform nothing', async t => {
  const performers = sources
    .filter(({ path, room }) => path.endsWith('.machine.js') || room === 'mesh')
    .flatMap(({ path, packages }) =>
      packages.filter(name => name !== 'xstate').map(name => `src/${path}: ${name}`),
    )
  t.same(performers, [])
})

/** Packages that one room, or two, keep to themselves. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  kysely: ['store', 'rest', 'reports', 'access', 'pgmon'],
  jose: ['app', 'access'],
  'zod-openapi': ['http'],
  // The monitor connects to servers of its own, to each in its own way.
  pg: ['store', 'pgmon'],
  'pg-connection-string': ['pgmon'],
  '@electric-sql/pglite': ['store'],
  ioredis: ['store'],
  'uWebSockets.js': ['edge'],
  ws: ['agent'],
  'node-datachannel': ['agent'],
  msgpackr: ['protocol', 'store'],
  xstate: ['actors', 'agent', 'app'],
  'prom-client': ['telemetry'],
  pino: ['telemetry', 'app'],
  commander: ['app'],
  ssh2: ['ssh'],
}

t.test('the database, the socket server and the command line stay in their rooms', async t => {
  const astray = sources.flatMap(({ path, room, packages }) =>
    packages
      .filter(name => {
        const home = Object.keys(HOMES).find(key => name === key || name.startsWith(`${key}/`))
        return home !== undefined && HOMES[home]?.includes(room) !== true
      })
      .map(name => `src/${path} imports ${name}`),
  )
  t.same(astray, [])
})

t.test('nothing names a place outside the repository', async t => {
  // Spelled in halves, so that this file does not name them either.
  const PLACES = ['/wo' + 'rk/', '/ro' + 'ot/', '/ho' + 'me/', '/Us' + 'ers/', 'file:' + '///']
  for (const file of repositoryFiles()) {
    const text = readFileSync(join(ROOT, file), 'utf8')
    for (const place of PLACES) if (text.includes(place)) t.fail(`${file} names ${place}`)
    for (const [, path = ''] of text.matchAll(/from '(\.\.\/[^']+)'/g)) {
      if (relative(ROOT, resolve(ROOT, dirname(file), path)).startsWith('..'))
        t.fail(`${file} reaches for ${path}`)
    }
  }
  const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')
  t.notMatch(lock, /"resolved":/, 'the lock file names packages, not where they were fetched')
})

function readSources(): readonly Source[] {
  const built = join(ROOT, 'dist/src')
  return readdirSync(built, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.js'))
    .map(path => {
      const code = withoutComments(readFileSync(join(built, path), 'utf8'))
      const imported = [...code.matchAll(/\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map(
        ([, name = '']) => name,
      )
      // A worker is another way to run a file.
      const workers = [...code.matchAll(/new URL\(["'](\.[^"']+\.js)["'],\s*import\.meta\.url\)/g)].map(
        ([, name = '']) => name,
      )
      const ours = [...imported, ...workers].filter(name => name.startsWith('.'))
      return {
        path,
        room: roomOf(path),
        code,
        files: ours.map(name => relative(built, resolve(built, dirname(path), name))),
        packages: imported.filter(name => !name.startsWith('.')),
      }
    })
}

function roomOf(path: string): string {
  return path.split('/')[0] ?? ''
}

function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(?<![:'"`])\/\/.*$/gm, '')
}

/** Text that someone wrote: sources, tests, scripts and pages. */
function repositoryFiles(): readonly string[] {
  const folders = ['src', 'test', 'bench', 'scripts', 'bin', 'docs', '.ci', 'examples']
  const written = /\.(?:ts|mjs|js|md|json|yml|py|sh|example)$|\/run$|\/boson$/
  const below = folders
    .filter(folder => existsSync(join(ROOT, folder)))
    .flatMap(folder =>
      readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile())
        .map(entry => relative(ROOT, join(entry.parentPath, entry.name))),
    )
  const top = readdirSync(ROOT, { withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => entry.name)
  return [...below, ...top].filter(file => written.test(file) && file !== 'package-lock.json')
}
