/** The thread of the embedded database: what takes long in it stops nothing else. Entered by a Worker. */
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { type Answer, CLOSE, type Fault, type PgliteThreadData, type Question } from './pglite-messages.js'
import { PGLITE_OPTIONS } from './pglite-options.js'
import { PgliteUpkeep } from './pglite-upkeep.js'

const port = parentPort
if (port === null) throw new Error('pglite-thread is entered by a Worker')
const { dir } = workerData as PgliteThreadData // given by PgliteThread

const db = await PGlite.create(dir, PGLITE_OPTIONS)
const upkeep = new PgliteUpkeep(db)
const say = (answer: Answer) => port.postMessage(answer)

let turn = Promise.resolve()
port.on('message', (message: Question | typeof CLOSE) => {
  turn = turn.then(() => (message === CLOSE ? close() : answer(message)))
})
say({ kind: 'ready' })

async function answer({ id, sql, parameters }: Question): Promise<void> {
  try {
    const { rows, rowCount = 0, command = '' } = await db.query(sql, [...parameters])
    say({ kind: 'rows', id, rows: { rows, rowCount, command } })
    if (command === 'COMMIT') await upkeep.run()
  } catch (error) {
    const { message, code, constraint } = error as Partial<Fault>
    // An error without a code is not an answer: the database itself has failed, and the thread ends with it.
    if (code === undefined) throw error
    say({ kind: 'fault', id, fault: { message: message ?? '', code, constraint } })
  }
}

async function close(): Promise<void> {
  await db.close()
  port?.close()
}
