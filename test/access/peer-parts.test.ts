/** The parts of peers that need no database: keys, configurations, QR codes, and what the agent is started with. */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { agentKit, agentScript } from '../../src/access/peers/agent-kit.js'
import { keyText } from '../../src/access/wireguard/key.js'
import { publicKey } from '../../src/access/wireguard/public-key.js'
import { qrSvg, qrText } from '../../src/access/peers/qr-code.js'
import { Secrets } from '../../src/access/peers/secrets.js'
import { wgConfig } from '../../src/access/peers/wg-config.js'
import { openVault } from '../../src/app/vault.js'
import { systemRandom } from '../../src/kit/random.js'
import { newKeyPair } from '../../src/protocol/proof.js'

t.test('V-12: a public key has one spelling, and is none that shares no secret', async t => {
  for (let i = 0; i < 50; i++) {
    const key = newKeyPair().publicKey
    t.same(publicKey.parse(keyText(key)), Uint8Array.from(key))
  }
  const hex = (text: string) => Buffer.from(text, 'hex').toString('base64')
  const good = keyText(newKeyPair().publicKey)
  const other = Buffer.from(good, 'base64')
  other[31] = (other[31] ?? 0) | 0x80
  const table: Readonly<Record<string, string>> = {
    nothing: '',
    zero: hex('00'.repeat(32)),
    one: hex(`01${'00'.repeat(31)}`),
    'of order eight': hex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'),
    'of order eight, the other': hex('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'),
    'the prime less one': hex(`ec${'ff'.repeat(30)}7f`),
    'the prime': hex(`ed${'ff'.repeat(30)}7f`),
    'the prime and nine': hex(`f6${'ff'.repeat(30)}7f`),
    'the same with its highest bit set': other.toString('base64'),
    'bits that belong to no byte': good.replace(/.=$/, letter => `${letter === 'B=' ? 'C' : 'B'}=`),
    'without its end': good.slice(0, 43),
    'of another alphabet': `_${good.slice(1)}`,
    'with a line': `${good}\n`,
    'with an option before it': `-${good.slice(1)}`,
    'of 33 bytes': hex('11'.repeat(33)),
  }
  for (const [name, text] of Object.entries(table)) t.notOk(publicKey.safeParse(text).success, name)
})

t.test('V-12: a sealed key opens for its peer only, and as the kind of key that it is', async t => {
  const vault = (key: string) => openVault(key, systemRandom)
  const secrets = new Secrets(vault('a-key-that-is-known-to-this-test-only'))
  const ada = { account_id: 'acc_1', public_key: newKeyPair().publicKey }
  const sealed = secrets.seal('private', ada, PRIVATE)
  t.notOk(Buffer.from(sealed).includes(PRIVATE))
  t.equal(secrets.open('private', ada, sealed), PRIVATE)
  t.equal(secrets.open('private', ada, null), null)
  t.equal(secrets.open('preshared', ada, sealed), null)
  t.equal(secrets.open('private', { ...ada, account_id: 'acc_2' }, sealed), null, 'moved to another account')
  const other = { ...ada, public_key: newKeyPair().publicKey }
  t.equal(secrets.open('private', other, sealed), null, 'moved to another peer')
  t.equal(new Secrets(vault('another-key-of-another-coordinator')).open('private', ada, sealed), null)
})

const PRIVATE = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk='
const SERVER = {
  publicKey: 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=',
  endpoint: 'vpn.example.org:51820',
  allowedIps: ['0.0.0.0/0', '::/0'],
  dns: ['1.1.1.1'],
}
const PEER = {
  title: 'peer-17, Anna’s laptop',
  privateKey: PRIVATE,
  publicKey: 'HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=',
  presharedKey: null,
  overlay4: '10.8.0.2',
  overlay6: null,
  server: SERVER,
}
const WHOLE = `# peer-17, Anna’s laptop
[Interface]
PrivateKey = ${PRIVATE}
Address = 10.8.0.2/32
DNS = 1.1.1.1
MTU = 1420

[Peer]
PublicKey = ${SERVER.publicKey}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = vpn.example.org:51820
PersistentKeepalive = 25
`

t.test('a configuration, whole', async t => {
  t.equal(wgConfig(PEER), WHOLE)
  const other = wgConfig({
    ...PEER,
    privateKey: null,
    presharedKey: PRIVATE,
    overlay6: 'fd00::2',
    server: { ...SERVER, dns: [] },
  })
  t.match(other, `# PrivateKey = the one of ${PEER.publicKey}, which only its owner knows\n`)
  t.match(other, 'Address = 10.8.0.2/32, fd00::2/128\nMTU')
  t.match(other, `PresharedKey = ${PRIVATE}\n`)
})

const hasWgQuick = spawnSync('wg-quick', ['--help']).error === undefined
t.test(
  `V-05: wg-quick itself reads the configuration${hasWgQuick ? '' : ': it is not installed'}`,
  { skip: !hasWgQuick },
  async t => {
    const folder = mkdtempSync(join(tmpdir(), 'boson-conf-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'peer-17.conf')
    for (const privateKey of [PRIVATE, null]) {
      writeFileSync(path, wgConfig({ ...PEER, privateKey, presharedKey: PRIVATE }), { mode: 0o600 })
      const kept = execFileSync('wg-quick', ['strip', path], { encoding: 'utf8', stdio: 'pipe' })
      t.equal(/^PrivateKey = (.*)$/m.exec(kept)?.[1] ?? null, privateKey)
      t.match(kept, `PublicKey = ${SERVER.publicKey}\n`)
      t.match(kept, 'AllowedIPs = 0.0.0.0/0, ::/0\n')
      t.notMatch(kept, /Address|DNS|MTU/, 'which wg-quick sets itself')
    }
  },
)

t.test('a QR code is the one that a scanner was seen to read, in both forms', async t => {
  // Of the modules of this text, row by row, as another program decoded them.
  const wanted = '0cd36f86e55b70d3f78ebf03224d3b94a28da29625513a43733aa2a87859e847'
  const hashOf = (rows: readonly string[]) => createHash('sha256').update(rows.join('\n')).digest('hex')
  const side = 69
  t.equal(hashOf(darkOfText(qrText(WHOLE)).slice(0, side)), wanted)
  const svg = qrSvg(WHOLE)
  t.match(svg, new RegExp(`^<svg [^>]*viewBox="0 0 ${side * 10} ${side * 10}"`))
  t.equal(hashOf(darkOfSvg(svg, side)), wanted)
})

const CONFIG = { publicUrl: null, tlsCert: null, host: '127.0.0.1', port: 3000 }

t.test('the agent is told where the coordinator is, and a shell gets nothing else to run', async t => {
  const kit = (called: string | undefined, config = {}) =>
    agentKit({ identity_id: 'peer-17' }, { ...CONFIG, ...config }, called)
  t.same(kit('mesh.example.org:3000'), {
    server: 'http://mesh.example.org:3000',
    id: 'peer-17',
    role: 'client',
    key_file: 'peer-17.key',
    command: 'boson client --server http://mesh.example.org:3000 --id peer-17 --key-file peer-17.key',
  })
  const servers: readonly (readonly [string | undefined, object, string])[] = [
    [undefined, {}, 'http://127.0.0.1:3000'],
    ['[2001:db8::1]:80', {}, 'http://[2001:db8::1]:80'],
    [undefined, { host: '::1' }, 'http://[::1]:3000'],
    ['mesh.example.org', { tlsCert: 'cert.pem' }, 'https://mesh.example.org'],
    ['evil.example.org', { publicUrl: 'https://mesh.example.org/' }, 'https://mesh.example.org'],
    ['a;reboot', {}, 'http://127.0.0.1:3000'],
    ['a$(reboot)', {}, 'http://127.0.0.1:3000'],
    ['-oProxyCommand=reboot', {}, 'http://127.0.0.1:3000'],
    ["a'\n", {}, 'http://127.0.0.1:3000'],
  ]
  for (const [called, config, server] of servers)
    t.equal(kit(called, config).server, server, called ?? 'nothing')
})

t.test('the lines for a shell write the key for its owner only', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'boson-kit-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const script = agentScript(agentKit({ identity_id: 'peer-17' }, CONFIG, undefined), PRIVATE)
  const said = execFileSync('sh', ['-eu'], {
    cwd: folder,
    encoding: 'utf8',
    input: `sudo() { echo "$@"; }\n${script}\nstat -c %a peer-17.key\ncat peer-17.key\n`,
  })
  t.equal(
    said,
    `boson client --server http://127.0.0.1:3000 --id peer-17 --key-file peer-17.key\n600\n${PRIVATE}\n`,
  )
})

/** Returns the dark modules of a code as characters: light ones are lit. */
function darkOfText(text: string): readonly string[] {
  const lit: Readonly<Record<string, readonly [string, string]>> = {
    '█': ['0', '0'],
    '▀': ['0', '1'],
    '▄': ['1', '0'],
    ' ': ['1', '1'],
  }
  return text.split('\n').flatMap(line => {
    const halves = Array.from(line, each => lit[each] ?? ['?', '?'])
    return [halves.map(([upper]) => upper).join(''), halves.map(([, lower]) => lower).join('')]
  })
}

/** Returns the dark modules of a code as an image. */
function darkOfSvg(svg: string, side: number): readonly string[] {
  const rows = Array.from({ length: side }, () => Array.from({ length: side }, () => '0'))
  for (const [, x = '', y = ''] of svg.matchAll(/M(\d+),(\d+)h10v10h-10z/g)) {
    const row = rows[Number(y) / 10]
    if (row !== undefined) row[Number(x) / 10] = '1'
  }
  return rows.map(row => row.join(''))
}
