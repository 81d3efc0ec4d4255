import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { keyFile } from '../../src/agent/key-file.js'
import { memoryFile } from '../../src/agent/memory-file.js'
import type { SavedSession } from '../../src/agent/ports.js'

const session: SavedSession = {
  ticket: new Uint8Array(32).fill(5),
  overlay4: '10.77.0.2/32',
  overlay6: 'fd77::2/128',
  beatEveryMs: 10_000,
  silenceMs: 25_000,
  relayMtu: 9_000,
  iceServers: [['stun:192.0.2.1:3478', null, null]],
}
const owner = { url: 'https://mesh.example', id: 'fra-1', publicKey: new Uint8Array(32).fill(1) }
const modeOf = (path: string) => statSync(path).mode & 0o777

t.test('a key is made once, for its owner alone, as WireGuard writes it', async t => {
  const path = join(t.testdir(), 'keys', 'private')
  const key = keyFile(path)
  t.equal(key.length, 32)
  t.equal(modeOf(path), 0o600)
  t.equal(readFileSync(path, 'utf8'), `${Buffer.from(key).toString('base64')}\n`)
  t.same(keyFile(path), key)
})

t.test('a key that others may read is refused, with the remedy', async t => {
  const path = join(t.testdir(), 'private')
  keyFile(path)
  chmodSync(path, 0o640)
  t.throws(() => keyFile(path), {
    code: 'KEY_FILE',
    message: `${path}: others may read this private key; run: chmod 600 ${path}`,
  })
})

t.test('a file that holds no key is left alone and named', async t => {
  const path = join(t.testdir(), 'private')
  writeFileSync(path, 'not a key\n', { mode: 0o600 })
  t.throws(() => keyFile(path), { code: 'KEY_FILE', message: /wanted one WireGuard private key in base64/ })
  t.equal(readFileSync(path, 'utf8'), 'not a key\n')
})

t.test('a session is kept for its owner alone, and forgotten', async t => {
  const path = join(t.testdir(), 'session.json')
  const memory = memoryFile({ ...owner, path })
  t.equal(memory.load(), null)
  memory.save(session)
  t.equal(modeOf(path), 0o600)
  t.match(memoryFile({ ...owner, path, url: 'wss://mesh.example/mesh' }).load(), { overlay4: '10.77.0.2/32' })
  t.same(Buffer.from(memory.load()?.ticket ?? []), Buffer.from(session.ticket))
  memory.save(null)
  t.equal(memory.load(), null)
})

t.test('the session of another name, key or coordinator is nobody’s', async t => {
  const path = join(t.testdir(), 'session.json')
  memoryFile({ ...owner, path }).save(session)
  t.equal(memoryFile({ ...owner, path, id: 'ams-2' }).load(), null)
  t.equal(memoryFile({ ...owner, path, publicKey: new Uint8Array(32) }).load(), null)
  t.equal(memoryFile({ ...owner, path, url: 'https://other.example' }).load(), null)
})

t.test('a file that was cut or written by something else counts as none', async t => {
  const path = join(t.testdir(), 'session.json')
  const memory = memoryFile({ ...owner, path })
  memory.save(session)
  const whole = readFileSync(path, 'utf8')
  for (const text of ['', 'null', '[]', '{}', whole.slice(0, -20), whole.replace('10000', '"x"')]) {
    writeFileSync(path, text)
    t.equal(memory.load(), null, text)
  }
})
