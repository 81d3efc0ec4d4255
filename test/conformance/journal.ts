/** What every journal promises; run on each adapter. */
import type { Test } from 'tap'
import type { Journal } from '../../src/actors/ports.js'
import { auditEvent, changeOf, NOW_MS, path, profile, route, session } from '../store/samples.js'

export interface JournalPlace {
  readonly open: () => Journal
  /** Opens what a killed process left: without closing the journal first. */
  readonly reopen: (killed: Journal) => Journal
}

export function journalConformance(t: Test, place: (t: Test) => JournalPlace): void {
  const first = changeOf.session(session('s-1'))
  const second = changeOf.route(route('r-1'))
  const third = changeOf.audit(auditEvent('a-1'))

  t.test('a new journal has nothing to replay', async t => {
    const journal = place(t).open()
    t.same(journal.replay(), [])
    journal.append(first)
    t.same(journal.replay(), [], 'what this process appended is not an earlier one’s')
    journal.close()
  })

  t.test('what a killed process appended is replayed in order, bytes and all', async t => {
    const { open, reopen } = place(t)
    const identity = changeOf.identity({
      id: 'n-1',
      role: 'node',
      publicKey: Uint8Array.from({ length: 32 }, (_, i) => 255 - i),
      overlay4: '10.77.0.2',
      overlay6: 'fd77::2',
      generation: 3,
      profile,
      createdAtMs: NOW_MS,
      revokedAtMs: null,
    })
    const killed = open()
    const appended = [identity, first, second, changeOf.path(path('p-1')), third]
    for (const change of appended) killed.append(change)
    const journal = reopen(killed)
    t.strictSame(journal.replay(), appended)
    t.ok(journal.replay()[0]?.kind === 'identity')
    journal.close()
  })

  t.test('what came before a mark is forgotten, what came after it stays', async t => {
    const { open, reopen } = place(t)
    const killed = open()
    killed.append(first)
    const mark = killed.rotate()
    killed.append(second)
    killed.drop(mark)
    const journal = reopen(killed)
    t.strictSame(journal.replay(), [second])
    journal.close()
  })

  t.test('nothing is forgotten before its mark is dropped', async t => {
    const { open, reopen } = place(t)
    const killed = open()
    killed.append(first)
    killed.rotate()
    killed.append(second)
    killed.rotate()
    const journal = reopen(killed)
    t.strictSame(journal.replay(), [first, second])
    journal.close()
  })

  t.test('what was replayed stays until a mark of the new process is dropped', async t => {
    const { open, reopen } = place(t)
    const killed = open()
    killed.append(first)
    const killedToo = reopen(killed)
    killedToo.append(second)
    const journal = reopen(killedToo)
    t.strictSame(journal.replay(), [first, second])
    journal.drop(journal.rotate())
    t.strictSame(reopen(journal).replay(), [])
  })

  t.test('a value that is changed after it was appended is kept as it was', async t => {
    const { open, reopen } = place(t)
    const killed = open()
    const value = { ...session('s-1'), generation: 1 }
    killed.append(changeOf.session(value))
    value.generation = 2
    t.strictSame(reopen(killed).replay(), [first])
  })
}
