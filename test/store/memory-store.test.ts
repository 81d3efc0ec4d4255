import t from 'tap'
import { MemoryStore } from '../../src/store/index.js'
import { storeConformance } from '../conformance/store.js'

storeConformance(t, async (_t, conditions) => new MemoryStore(conditions))
