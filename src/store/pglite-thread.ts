/** The thread of the embedded database: what takes long in it stops nothing else. Entered by a Worker. */
import { constants } from 'node:fs'
import { cp } from 'node:fs/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { messages, PGlite } from '@electric-sql/pglite'
import {
  type Answer,
  CLOSE,
  type CopyOrder,
  type Fault,
  type PgliteThreadData,
  type Question,
} from './pglite-messages.js'
import { PGLITE_OPTIONS } from './pglite-options.js'
import { PgliteUpkeep } from './pglite-upkeep.js'

const port = parentPort
if (port === null) throw new Error('pglite-thread is entered by a Worker')
const { dir } = workerData as PgliteThreadData // given by PgliteThread

const db = await PGlite.create(dir, PGLITE_OPTIONS)
const upkeep = new PgliteUpkeep(db, performance.now())
const say = (answer: Answer) => port.postMessage(answer)

let turn = Promise.resolve()
port.on('message', (message: Question | CopyOrder | typeof CLOSE) => {
  turn = turn.then(() =>
    message === CLOSE ? close() : 'copyTo' in message ? copy(message) : answer(message),
  )
})
say({ kind: 'ready' })

async function answer({ id, sql, parameters }: Question): Promise<void> {
  try {
    const { rows, rowCount = 0, command = '' } = await db.query(sql, [...parameters])
    say({ kind: 'rows', id, rows: { rows, rowCount, command } })
    if (command === 'COMMIT') await upkeep.run(performance.now())
  } catch (error) {
    if (!isAnswer(error)) throw error
    const { message, code, constraint } = error
    say({ kind: 'fault', id, fault: { message, code, constraint } })
  }
}

/** Nothing writes to the directory but this thread, and it is at this now. */
async function copy({ id, copyTo }: CopyOrder): Promise<void> {
  try {
    await db.exec('checkpoint')
    await cp(dir, copyTo, { recursive: true, mode: constants.COPYFILE_FICLONE })
    say({ kind: 'rows', id, rows: { command: 'COPY', rowCount: 0, rows: [] } })
  } catch (error) {
    const { message, code = '' } = error as NodeJS.ErrnoException // of the file system, or the database
    say({ kind: 'fault', id, fault: { message, code, constraint: undefined } })
  }
}

async function close(): Promise<void> {
  await db.close()
  port?.close()
}

/**
 * Whether the database has answered, if only with an error. When it has failed itself, every later question
 * would fail too: the thread ends with the error, and the next one recovers the database as after a kill.
 */
const isAnswer = (error: unknown): error is Fault =>
  error instanceof messages.DatabaseError &&
  error.code !== undefined &&
  error.severity !== 'FATAL' &&
  error.severity !== 'PANIC'
