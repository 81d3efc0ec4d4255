import t from 'tap'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { EXIT } from '../../src/app/exit-codes.js'
import { takeStateDir } from '../../src/app/state-dir.js'

t.test('the directory is made for its owner alone', async t => {
  const path = `${t.testdir()}/a/b`
  takeStateDir(path)
  t.equal(statSync(path).mode & 0o777, 0o700)
})

t.test('a directory that another process has is refused', async t => {
  const path = t.testdir({ lock: `${process.ppid} ` })
  const parent = readFileSync(`/proc/${process.ppid}/stat`, 'latin1')
  const start = parent.slice(parent.lastIndexOf(')') + 2).split(' ')[19]
  writeFileSync(`${path}/lock`, `${process.ppid} ${start}`)
  t.throws(() => takeStateDir(path), { exitCode: EXIT.inUse, message: new RegExp(`process ${process.ppid}`) })
})

t.test('a process that is gone, or whose number is another’s now, has nothing', async t => {
  const path = t.testdir({ lock: `${process.ppid} 1` })
  takeStateDir(path).release()
  writeFileSync(`${path}/lock`, '4194305 1')
  takeStateDir(path).release()
  takeStateDir(path)
  t.pass('and what is given back can be taken again')
})

t.test('a path that cannot be a directory is said to be none', async t => {
  const path = t.testdir({ file: '' })
  t.throws(() => takeStateDir(`${path}/file`), {
    exitCode: EXIT.unable,
    message: /choose another with --state-dir/,
  })
})
