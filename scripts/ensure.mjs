// Makes a fresh clone runnable: installs packages and builds, each only when missing or stale.
// `--dev` also prepares tap, which is needed to run the tests.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const at = path => join(root, path)
const dev = process.argv.includes('--dev')

const [major, minor] = process.versions.node.split('.').map(Number)
if (!((major === 20 && minor >= 19) || (major === 22 && minor >= 12))) {
  console.error(`BosonServer runs on Node 20 (from 20.19) or 22 (from 22.12); this is ${process.version}.`)
  process.exit(1)
}

/** Runs a tool quietly; what it printed is shown only when it fails. */
function run(title, command, args) {
  const began = Date.now()
  process.stderr.write(`${title} … `)
  try {
    execFileSync(command, args, { cwd: root, stdio: 'pipe' })
  } catch (error) {
    process.stderr.write(`failed\n${error.stdout ?? ''}${error.stderr ?? error.message}\n`)
    process.exit(1)
  }
  process.stderr.write(`${((Date.now() - began) / 1000).toFixed(1)} s\n`)
}
const hashOf = contents => createHash('sha256').update(Buffer.concat(contents)).digest('hex')
const changedAt = path => (existsSync(at(path)) ? statSync(at(path)).mtimeMs : 0)

/** The newest change below `path`, deletions included: a removed file touches its folder. */
function newest(path) {
  let latest = changedAt(path)
  if (latest === 0 || statSync(at(path)).isFile()) return latest
  for (const entry of readdirSync(at(path), { withFileTypes: true, recursive: true })) {
    latest = Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs)
  }
  return latest
}

if (changedAt('node_modules/.package-lock.json') < changedAt('package-lock.json')) {
  run('installing packages', 'npm', ['install', '--no-audit', '--no-fund'])
}

const inspector = 'src/inspector/page'
const sources = Math.max(...['src', 'test', 'bench', 'tsconfig.json'].map(newest))
if (changedAt('dist/.built') < sources) {
  // A test whose source is gone must not run from an old build.
  for (const part of ['test', 'bench', 'src', 'tsconfig.tsbuildinfo'])
    rmSync(at(`dist/${part}`), { recursive: true, force: true })
  run('compiling', process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json'])
  writeFileSync(at('dist/.built'), '')
}

// The embedded database's first start begins with a prepared one; it is made again only when the tables or
// PGlite have changed, by content, since every compilation touches every file.
const tables = 'src/store/migrations'
const contents = [
  'node_modules/@electric-sql/pglite/package.json',
  ...['image', 'make-image', 'pglite-options'].map(name => `src/store/${name}.ts`),
  ...readdirSync(at(tables)).map(name => `${tables}/${name}`),
].map(path => readFileSync(at(path)))
const imageKey = hashOf(contents)
const madeFor = at('dist/image/made-for')
if (!existsSync(madeFor) || readFileSync(madeFor, 'utf8') !== imageKey) {
  run('preparing the database', process.execPath, [at('dist/src/store/make-image.js')])
  writeFileSync(madeFor, imageKey)
}

// The inspector's page shares the protocol with the server, so it is looked at whenever that was compiled; it is
// built again only when something of it has changed.
if (changedAt('dist/inspector/.built') < changedAt('dist/.built')) {
  const key = hashOf(
    readdirSync(at('src'), { withFileTypes: true, recursive: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name))
      .sort()
      .map(path => readFileSync(path)),
  )
  const builtFor = at('dist/inspector/.built')
  if (!existsSync(builtFor) || readFileSync(builtFor, 'utf8') !== key) {
    run('checking the inspector', process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', inspector])
    run('building the inspector', process.execPath, [
      at('node_modules/vite/bin/vite.js'),
      'build',
      '--logLevel=warn',
      '--config',
      `${inspector}/vite.config.ts`,
    ])
    for (const name of readdirSync(at('dist/inspector')))
      writeFileSync(
        at(`dist/inspector/${name}.gz`),
        gzipSync(readFileSync(at(`dist/inspector/${name}`)), { level: 9 }),
      )
  }
  writeFileSync(builtFor, key)
}

// Pages work without a network: what they are made of is served by the coordinator itself.
const swagger = 'node_modules/swagger-ui-dist'
const frame = folder => ['index.html', 'page.css', 'start.js'].map(name => `${folder}/${name}`)
const PAGES = {
  docs: [
    ...frame('src/app/docs-page'),
    ...['swagger-ui-bundle.js', 'swagger-ui.css', 'LICENSE', 'NOTICE'].map(name => `${swagger}/${name}`),
  ],
  stats: frame('src/rest/stats-page'),
}
for (const [page, paths] of Object.entries(PAGES)) {
  const parts = paths.map(path => [basename(path), readFileSync(at(path))])
  const key = hashOf(parts.map(([, bytes]) => bytes))
  const copiedFor = at(`dist/${page}/made-for`)
  if (existsSync(copiedFor) && readFileSync(copiedFor, 'utf8') === key) continue
  mkdirSync(at(`dist/${page}`), { recursive: true })
  for (const [name, bytes] of parts) {
    writeFileSync(at(`dist/${page}/${name}`), bytes)
    if (/\.(?:html|css|js)$/.test(name))
      writeFileSync(at(`dist/${page}/${name}.gz`), gzipSync(bytes, { level: 9 }))
  }
  writeFileSync(copiedFor, key)
}

if (dev) {
  // tap bakes its plugins into node_modules at its first run; the default TypeScript plugin cannot load
  // TypeScript 7, so the set without it, and what else .taprc leaves out, is baked before any test runs.
  const baked = at('node_modules/@tapjs/test/test-built/dist/esm/index.js')
  if (!existsSync(baked) || /@tapjs\/(?:typescript|mock)/.test(readFileSync(baked, 'utf8'))) {
    run('preparing tap', process.execPath, [at('node_modules/tap/dist/esm/run.mjs'), 'build'])
  }
}
