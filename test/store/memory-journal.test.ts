import t from 'tap'
import { MemoryJournal } from '../../src/store/index.js'
import { journalConformance } from '../conformance/journal.js'

journalConformance(t, () => ({
  open: () => new MemoryJournal(),
  reopen: killed => new MemoryJournal(killed as MemoryJournal),
}))
