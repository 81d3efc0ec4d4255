/** The pages for people: what they link to is there, and what they list is complete. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import t from 'tap'
import { EXIT } from '../src/app/exit-codes.js'
import { PATH_REASONS } from '../src/mesh/path-reason.js'

const ROOT = resolve(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

t.test('relative links lead to something that is there', async t => {
  const broken = pages().flatMap(page =>
    [...read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target = '']) => target)
      .filter(target => !/^[a-z]+:/.test(target) && !existsSync(resolve(ROOT, dirname(page), target)))
      .map(target => `${page} links to ${target}`),
  )
  t.same(broken, [])
})

t.test('every dependency is explained, and nothing that is gone', async t => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, object>
  const page = read('docs/dependencies.md')
  const taken = page.slice(0, page.indexOf('## Not taken'))
  const explained = taken
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .flatMap(line => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))
  t.same(explained.toSorted(), Object.keys({ ...dependencies, ...devDependencies }).toSorted())
})

t.test('metrics and settings that the operator’s page names exist', async t => {
  const page = read('docs/operations.md')
  const known = read('docs/metrics.md') + read('.env.example')
  const named = [...page.matchAll(/\b(?:boson_[a-z_]+|BOSON_[A-Z_0-9]+)\b/g)].map(([name]) => name)
  t.same(
    named.filter(name => !known.includes(name)),
    [],
  )
})

t.test('the operator’s page explains every warning that the log may hold', async t => {
  const page = read('docs/operations.md')
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  const warnings = sources
    .filter(path => path.endsWith('.ts'))
    .flatMap(path => [
      ...read(join('src', path)).matchAll(/\b(?:warn|error)\(\s*(?:\{[^}]*\}|\w+),\s*'([^']+)'/g),
    ])
    .map(([, message = '']) => message)
  t.ok(warnings.length > 10)
  t.same(
    warnings.filter(message => !page.includes(message)),
    [],
  )
})

t.test('the operator’s page has every exit code', async t => {
  const page = read('docs/operations.md')
  for (const [name, code] of Object.entries(EXIT)) t.match(page, new RegExp(`^\\| ${code} +\\|`, 'm'), name)
})

t.test('the operator’s page says of every reason what to do', async t => {
  const [, section = ''] = read('docs/operations.md').split('## Why is this pair relayed?')
  const [table = ''] = section.split('\n## ')
  const rows = [...table.matchAll(/^\| `(\w+)` +\| [^|]{10,} \| [^|]{5,} \|$/gm)].map(([, code = '']) => code)
  t.same(rows.toSorted(), PATH_REASONS.toSorted())
})

t.test('every script that a page tells one to run exists', async t => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const told = pages().flatMap(page =>
    [...read(page).matchAll(/`npm (?:run ([\w:]+)|(start|test))/g)].map(
      ([, run, plain]) => run ?? plain ?? '',
    ),
  )
  t.same(
    told.filter(name => !(name in scripts)),
    [],
  )
})

function pages(): readonly string[] {
  const below = ['src', 'docs', 'bench', 'test']
    .filter(folder => existsSync(join(ROOT, folder)))
    .flatMap(folder =>
      readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
        .filter(entry => entry.name.endsWith('.md'))
        .map(entry => relative(ROOT, join(entry.parentPath, entry.name))),
    )
  return [...readdirSync(ROOT).filter(name => name.endsWith('.md')), ...below]
}
