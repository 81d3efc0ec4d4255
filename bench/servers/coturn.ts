/** coturn, with one relay thread: it has one core here. This process only starts it, and ends it. */
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/kit/clock.js'
import { systemRandom } from '../../src/kit/random.js'
import { probe } from '../../src/turn/probe.js'
import { attend } from './control.js'
import { ADDRESS, PEERS, REALM, SECRET } from './turn-setup.js'

const port = await freePort()
const folder = mkdtempSync(join(tmpdir(), 'boson-bench-'))
const options = {
  'listening-ip': ADDRESS,
  'listening-port': port,
  'relay-ip': ADDRESS,
  'relay-threads': 1,
  realm: REALM,
  'static-auth-secret': SECRET,
  'allowed-peer-ip': PEERS,
  pidfile: join(folder, 'pid'),
  'log-file': join(folder, 'log'),
}
const flags = ['use-auth-secret', 'allow-loopback-peers', 'no-cli', 'no-tls', 'no-dtls', 'simple-log']
const child = spawn(
  'turnserver',
  [
    '-n',
    ...flags.map(flag => `--${flag}`),
    ...Object.entries(options).map(([key, value]) => `--${key}=${value}`),
  ],
  { stdio: 'ignore' },
)
process.once('exit', () => {
  child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})
child.once('exit', code => {
  process.stderr.write(`turnserver ended with ${code}\n`)
  process.exit(1)
})
for (let answered = false; !answered; )
  answered = await probe({ address: ADDRESS, port }, systemClock, systemRandom).then(
    () => true,
    () => false,
  )
attend(port, { pid: () => child.pid })

async function freePort(): Promise<number> {
  const holder = createServer().listen(0, ADDRESS)
  await new Promise(resolve => holder.once('listening', resolve))
  const { port } = holder.address() as { port: number } // it listens on an IP address
  await new Promise(resolve => holder.close(resolve))
  return port
}
