import t from 'tap'
import { Command } from 'commander'
import {
  CLIENT_SETTINGS,
  NODE_SETTINGS,
  readClientSettings,
  readNodeSettings,
} from '../../src/app/agent-settings.js'
import { EXIT } from '../../src/app/exit-codes.js'
import { addSettings, sourcesOf } from '../../src/app/setting-options.js'
import { wishOf } from '../../src/app/wish.js'

const SERVER = { BOSON_SERVER: 'https://mesh.example.org' }

t.test('a flag counts before the environment, the environment before the default', async t => {
  const node = (flags: Record<string, string>, env: Record<string, string>) =>
    readNodeSettings({ flags, env: { ...SERVER, ...env } })
  t.equal(node({}, {}).mtu, 1_380)
  t.equal(node({}, { BOSON_MTU: '1400' }).mtu, 1_400)
  t.equal(node({ mtu: '1300' }, { BOSON_MTU: '1400' }).mtu, 1_300)
})

t.test('flags of a command become settings', async t => {
  const client = addSettings(new Command('client'), CLIENT_SETTINGS).exitOverride()
  client.parse(
    ['--server', 'mesh.example.org', '--all', '--dns', '9.9.9.9,2620:fe::fe', '--max-latency', '80'],
    {
      from: 'user',
    },
  )
  t.match(readClientSettings(sourcesOf(CLIENT_SETTINGS, client.opts())), {
    server: 'mesh.example.org',
    all: true,
    dns: ['9.9.9.9', '2620:fe::fe'],
    maxLatency: 80,
    wait: false,
  })
})

t.test('what a client wants of its node is spelled as the coordinator hears it', async t => {
  const client = (flags: Record<string, string>) => wishOf(readClientSettings({ flags, env: SERVER }))
  t.same(client({}), {})
  t.same(
    client({
      node: 'fra-1',
      tags: 'ssd,fast',
      group: 'paid',
      prefer: 'fra-1',
      avoid: 'ams-1,ams-2',
      weigh: 'rtt=2,price=0.5',
      maxLatency: '80',
    }),
    {
      target: 'fra-1',
      tags: ['ssd', 'fast'],
      group: 'paid',
      prefer: ['fra-1'],
      avoid: ['ams-1', 'ams-2'],
      maxLatencyMs: 80,
      weights: [
        ['rtt', 2],
        ['price', 0.5],
      ],
    },
  )
  const table: readonly (readonly [flags: Record<string, string>, says: RegExp])[] = [
    [{ weigh: 'speed=2' }, /--weigh: wanted terms and factors such as rtt=2,price=0; terms are load, rtt/],
    [{ weigh: 'rtt' }, /--weigh: wanted/],
    [{ weigh: 'rtt=-1' }, /--weigh: wanted/],
    [{ group: 'a b' }, /--group: wanted 1 to 64/],
    [{ avoid: Array.from({ length: 33 }, (_, i) => `n-${i}`).join(',') }, /--avoid: wanted .* at most 32/],
  ]
  for (const [flags, message] of table) t.throws(() => client(flags), { message })
  t.equal(readNodeSettings({ flags: { cost: '2.5' }, env: SERVER }).cost, 2.5)
})

t.test('WireGuard leaves the relay by its own socket unless it is told not to', async t => {
  const node = (env: Record<string, string>) => readNodeSettings({ flags: {}, env: { ...SERVER, ...env } })
  t.same(node({}).ways, ['wireguard', 'udp'])
  t.same(node({ BOSON_WAYS: 'udp' }).ways, ['udp'])
  t.throws(() => node({ BOSON_WAYS: 'pigeon' }), /wanted .*wireguard or udp/)
})

t.test('an agent leaves the relay by any port unless told otherwise', async t => {
  t.match(readNodeSettings({ flags: {}, env: SERVER }), { policy: 'auto', port: 0 })
  const flags = { policy: 'direct-only', port: '51821' }
  t.match(readNodeSettings({ flags, env: SERVER }), { policy: 'direct-only', port: 51_821 })
  t.throws(() => readNodeSettings({ flags: { policy: 'never' }, env: SERVER }), {
    message: /--policy: wanted/,
  })
})

t.test('everything that is wrong is said at once', async t => {
  t.throws(
    () =>
      readClientSettings({
        flags: { server: 'ftp://x', country: 'germany', dns: 'nine' },
        env: { BOSON_MTU: '100' },
      }),
    {
      exitCode: EXIT.usage,
      message:
        /--server: wanted the coordinator’s address[^]*BOSON_MTU: wanted a whole number[^]*--country: wanted two capital letters[^]*--dns: wanted a list/,
    },
  )
})

t.test('an agent without a coordinator is told which setting is missing', async t => {
  t.throws(() => readNodeSettings({ flags: {}, env: {} }), {
    message: /--server: wanted the coordinator’s address/,
  })
})

t.test('name servers without the full tunnel would never be asked', async t => {
  t.throws(() => readClientSettings({ flags: { dns: '9.9.9.9' }, env: SERVER }), {
    message: /--dns: wanted together with --all/,
  })
})

t.test('an agent has a name even when nobody gives it one', async t => {
  t.match(readNodeSettings({ flags: {}, env: SERVER }).id, /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
  t.match(readClientSettings({ flags: {}, env: SERVER }).id, /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
})

t.test('the credential is never shown', async t => {
  const long = 'k'.repeat(5_000)
  t.throws(() => readNodeSettings({ flags: {}, env: { ...SERVER, BOSON_CREDENTIAL: long } }), {
    message: /BOSON_CREDENTIAL: wanted .*, got something else$/,
  })
  for (const table of [NODE_SETTINGS, CLIENT_SETTINGS]) t.equal(table.credential.secret, true)
})
