import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { lockDataDir } from '../../src/store/index.js'

const holder = fileURLToPath(new URL('fixtures/lock-holder.js', import.meta.url))

t.test('a directory is taken, released and taken again', async t => {
  const dir = join(t.testdir(), 'data')
  for (let round = 0; round < 3; round++) lockDataDir(dir).release()
  const lock = lockDataDir(dir)
  t.throws(() => lockDataDir(dir), { code: 'DATA_DIR_LOCKED', pid: process.pid })
  lock.release()
  t.equal(statSync(dir).mode & 0o777, 0o700)
  t.equal(readdirSync(dir).length, 1, 'one file stays, and no more')
})

t.test('a second process is refused at once, and told who holds the directory', async t => {
  const dir = t.testdir()
  const { child, said } = await hold(t, dir)
  t.equal(said, 'held')
  const beganMs = performance.now()
  t.throws(() => lockDataDir(dir), {
    code: 'DATA_DIR_LOCKED',
    pid: child.pid,
    message: new RegExp(`in use by process ${child.pid}.*BOSON_DATA_DIR`),
  })
  t.ok(performance.now() - beganMs < 1_000)
  t.equal((await hold(t, dir)).said, `DATA_DIR_LOCKED ${child.pid}`)
})

t.test('the lock of a killed process is taken over', async t => {
  const dir = t.testdir()
  const { child } = await hold(t, dir)
  child.kill('SIGKILL')
  await once(child, 'exit')
  lockDataDir(dir).release()
})

t.test('a process that only has the number of the holder does not hold the directory', async t => {
  const dir = t.testdir()
  lockDataDir(dir).release()
  const path = join(dir, readdirSync(dir)[0] as string)
  const { child } = await hold(t, dir)
  const claim = join(dir, readdirSync(dir)[0] as string)
  t.not(claim, path)
  const record = JSON.parse(readFileSync(claim, 'utf8'))
  if (record.started === null) return t.comment('no /proc: a number is all there is to know')
  writeFileSync(claim, JSON.stringify({ ...record, started: 'another boot 1' }))
  lockDataDir(dir).release()
  child.kill('SIGKILL')
})

t.test('without /proc a living process holds the directory, a dead one does not', async t => {
  const dir = t.testdir()
  const { child } = await hold(t, dir)
  const claim = join(dir, readdirSync(dir)[0] as string)
  const record = { ...JSON.parse(readFileSync(claim, 'utf8')), started: null }
  writeFileSync(claim, JSON.stringify(record))
  t.throws(() => lockDataDir(dir), { code: 'DATA_DIR_LOCKED', pid: child.pid as number })
  child.kill('SIGKILL')
  await once(child, 'exit')
  writeFileSync(claim, JSON.stringify(record))
  lockDataDir(dir).release()
})

t.test('a process of another container holds the directory until it falls silent', async t => {
  const dir = t.testdir({ 'lock.4': JSON.stringify({ pid: 1, started: null, space: 'elsewhere' }) })
  t.throws(() => lockDataDir(dir), { code: 'DATA_DIR_LOCKED', pid: 1, message: /another container/ })
  const earlier = new Date(Date.now() - 60_000)
  utimesSync(join(dir, 'lock.4'), earlier, earlier)
  lockDataDir(dir).release()
  t.same(readdirSync(dir), ['lock.5'])
})

t.test('a claim that a power failure has emptied is no obstacle', async t => {
  const dir = t.testdir({ 'lock.4': '', 'lock.claim-0': '' })
  lockDataDir(dir).release()
})

t.test('of many processes that find a dead claim one takes the directory', async t => {
  const dir = t.testdir({ 'lock.4': JSON.stringify({ pid: 2 ** 22 + 1, started: null, space: 'gone' }) })
  const earlier = new Date(Date.now() - 60_000)
  utimesSync(join(dir, 'lock.4'), earlier, earlier)
  const all = await Promise.all(Array.from({ length: 6 }, () => hold(t, dir)))
  t.equal(all.filter(({ said }) => said === 'held').length, 1)
  const [winner] = all.filter(({ said }) => said === 'held')
  for (const { said } of all) if (said !== 'held') t.equal(said, `DATA_DIR_LOCKED ${winner?.child.pid}`)
})

/** Starts a process that takes the directory; resolves with what became of that. */
async function hold(t: Test, dir: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [holder, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [said] = await once(createInterface(child.stdout), 'line')
  return { child, said }
}
