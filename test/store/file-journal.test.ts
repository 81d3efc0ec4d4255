import { appendFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type FileJournal, openJournal } from '../../src/store/index.js'
import { journalConformance } from '../conformance/journal.js'
import { until } from '../support/until.js'
import { auditEvent, changeOf, route, session } from './samples.js'

journalConformance(t, t => {
  const dir = join(t.testdir(), 'journal')
  return { open: () => openJournal(dir), reopen: () => openJournal(dir) }
})

t.test('only its owner can read the journal', async t => {
  const dir = join(t.testdir(), 'journal')
  const journal = openJournal(dir)
  journal.append(changeOf.session(session('s-1')))
  journal.close()
  t.equal(statSync(dir).mode & 0o777, 0o700)
  for (const path of partsOf(dir)) t.equal(statSync(path).mode & 0o777, 0o600)
})

t.test('a torn last record is left out, and what follows it is not', async t => {
  const dir = t.testdir()
  const killed = openJournal(dir)
  killed.append(changeOf.session(session('s-1')))
  killed.append(changeOf.session(session('s-2')))
  const [path] = partsOf(dir) as [string]
  const size = statSync(path).size
  for (const cut of [1, 2, 20, 200]) {
    truncateSync(path, size - cut)
    const journal = openJournal(dir)
    t.strictSame(journal.replay(), [changeOf.session(session('s-1'))], `${cut} bytes short`)
    t.equal(journal.damaged, 1)
    journal.close()
  }
  const journal = openJournal(dir)
  journal.append(changeOf.session(session('s-3')))
  t.same(keysOf(openJournal(dir)), ['s-1', 's-3'])
})

t.test('a damaged record hides no other', async t => {
  const dir = t.testdir()
  const killed = openJournal(dir)
  for (const id of ['s-1', 's-2', 's-3']) killed.append(changeOf.session(session(id)))
  const [path] = partsOf(dir) as [string]
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.replace('"sessionId":"s-2"', '"sessionId":"s-X"'))
  appendFileSync(path, 'not a record\n\n')
  const journal = openJournal(dir)
  t.same(keysOf(journal), ['s-1', 's-3'])
  t.equal(journal.damaged, 3)
})

t.test('a record that cannot be written is refused, and the others stay whole', async t => {
  const dir = t.testdir()
  const journal = openJournal(dir)
  journal.append(changeOf.session(session('s-1')))
  journal.close()
  t.throws(() => journal.append(changeOf.session(session('s-2'))), { code: 'JOURNAL_UNAVAILABLE' })
  t.same(keysOf(openJournal(dir)), ['s-1'])
})

t.test('while the store is away it shrinks to the newest record of each key', async t => {
  const dir = t.testdir()
  const journal = openJournal(dir, { limitBytes: 40_000, partBytes: 8_000 })
  for (let generation = 0; generation < 1_000; generation++) {
    journal.append(changeOf.session(session(`s-${generation % 10}`, { generation })))
  }
  await until('a shorter journal', () => journal.bytes < 20_000)
  const newest = new Map(
    openJournal(dir)
      .replay()
      .map(change => [change.key, change]),
  )
  t.same(
    [...newest.keys()].sort(),
    Array.from({ length: 10 }, (_, i) => `s-${i}`),
  )
  for (const [key, change] of newest) {
    t.strictSame(change, changeOf.session(session(key, { generation: 990 + Number(key.slice(2)) })))
  }
})

t.test('live state outlasts history when the limit is reached', async t => {
  const dir = t.testdir()
  const journal = openJournal(dir, { limitBytes: 40_000, partBytes: 8_000 })
  for (let i = 0; i < 20; i++) journal.append(changeOf.session(session(`live-${i}`)))
  for (let i = 0; i < 400; i++) {
    journal.append(changeOf.audit(auditEvent(`a-${i}`)))
    journal.append(changeOf.route(route(`r-${i}`, { state: 'ended', cause: 'released' })))
  }
  await until('a shorter journal', () => journal.given > 0 && journal.bytes <= 40_000)
  const keys = keysOf(openJournal(dir))
  t.same(
    keys.filter(key => key.startsWith('live-')),
    Array.from({ length: 20 }, (_, i) => `live-${i}`),
  )
  t.notOk(keys.includes('a-0'), 'the oldest history goes first')
  t.ok(keys.includes('a-399') && keys.includes('r-399'))
})

t.test('a compaction that is overtaken by a drop brings nothing back', async t => {
  const dir = t.testdir()
  const journal = openJournal(dir, { limitBytes: 40_000, partBytes: 8_000 })
  for (let i = 0; i < 1_000; i++) journal.append(changeOf.session(session(`s-${i % 10}`, { generation: i })))
  journal.drop(journal.rotate())
  journal.append(changeOf.session(session('s-last')))
  await until('the end of the compaction', () => !readdirSync(dir).some(name => name.endsWith('.tmp')))
  t.same(keysOf(openJournal(dir)), ['s-last'])
})

const partsOf = (dir: string): string[] =>
  readdirSync(dir)
    .sort()
    .map(name => join(dir, name))

const keysOf = (journal: FileJournal): string[] => journal.replay().map(change => change.key)
