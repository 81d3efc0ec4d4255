/** Where requests of ours may lead: whoever owns a name, or writes an address in an odd way, must not reach inside. */
import t from 'tap'
import { Destinations } from '../../src/http/destination.js'

const PUBLIC = '8.8.8.8'

/** Addresses that only this machine, or its network, can reach: as they are, and as they may be written. */
const INSIDE = [
  // loopback, in every spelling that a URL has for it
  '127.0.0.1',
  '127.1',
  '127.255.255.254',
  '0x7f000001',
  '0177.0.0.1',
  '2130706433',
  '0',
  '0.0.0.0',
  '[::1]',
  '[::]',
  'localhost',
  // private
  '10.0.0.1',
  '10.255.255.255',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '0xc0a80001',
  '[fc00::1]',
  '[fdff::1]',
  // link-local, and metadata of clouds
  '169.254.0.1',
  '169.254.169.254',
  '0xa9fea9fe',
  '[fe80::1]',
  '[febf::1]',
  '[fd00:ec2::254]',
  '100.100.100.200',
  // shared by carriers, benchmarks, documentation, reserved, multicast, broadcast
  '100.64.0.1',
  '198.18.0.1',
  '192.0.2.1',
  '198.51.100.1',
  '203.0.113.1',
  '240.0.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '[ff02::1]',
  '[2001:db8::1]',
  '[fec0::1]',
  // IPv4 in IPv6 clothes
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::ffff:a9fe:a9fe]',
  '[::127.0.0.1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::10.0.0.1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::1]',
  '[2002:a9fe:a9fe::1]',
  '[2001:0:7f00:1::1]',
  '[2600::5efe:10.0.0.1]',
  // ours, though it may look public
  '25.0.0.7',
]

const guarded = (names: Readonly<Record<string, readonly string[]>> = {}, allowed: readonly string[] = []) =>
  new Destinations({
    allowed,
    denied: ['25.0.0.0/8'],
    setting: 'THE_SETTING',
    lookUp: async name => names[name] ?? [],
  })

t.test('no address inside is called, however it is written', async t => {
  const destinations = guarded({ localhost: ['127.0.0.1'] })
  for (const host of INSIDE) {
    for (const url of [`http://${host}/`, `https://${host}:8443/x?y#z`])
      await t.rejects(destinations.addressOf(new URL(url)), { code: 'BAD_DESTINATION' }, url)
  }
})

t.test('public ones are, by the address that was looked at', async t => {
  const destinations = guarded({ 'example.org': [PUBLIC, '2606:4700::1111'] })
  t.equal(await destinations.addressOf(new URL('https://example.org/hook')), PUBLIC)
  t.equal(await destinations.addressOf(new URL('http://[2606:4700::1111]:8080/')), '2606:4700::1111')
})

t.test('a name is refused when one of its addresses is inside, wherever it stands among them', async t => {
  for (const inside of ['127.0.0.1', '::1', '169.254.169.254', '::ffff:10.0.0.1', 'fe80::1%eth0', 'what'])
    for (const found of [[inside], [PUBLIC, inside], [inside, PUBLIC]])
      await t.rejects(guarded({ 'a.test': found }).addressOf(new URL('http://a.test/')), found.join(' '))
  await t.rejects(guarded().addressOf(new URL('http://nowhere.test/')), /no address/)
})

t.test('a name that changes its mind is looked up once for each attempt', async t => {
  let asked = 0
  const answers = [[PUBLIC], ['127.0.0.1']]
  const destinations = new Destinations({
    allowed: [],
    denied: [],
    setting: 'THE_SETTING',
    lookUp: async () => answers[asked++] ?? [],
  })
  const url = new URL('http://rebinding.test/')
  t.equal(await destinations.addressOf(url), PUBLIC)
  t.equal(asked, 1)
  await t.rejects(destinations.addressOf(url))
})

t.test('the operator may allow networks inside, and no more than these', async t => {
  const destinations = guarded({ 'pager.test': ['10.20.0.9'] }, ['10.20.0.0/16', '::1'])
  t.equal(await destinations.addressOf(new URL('http://pager.test/')), '10.20.0.9')
  t.equal(await destinations.addressOf(new URL('http://[::1]:9000/')), '::1')
  await t.rejects(destinations.addressOf(new URL('http://10.21.0.9/')))
  await t.rejects(destinations.addressOf(new URL('http://[::ffff:10.20.0.9]/')), 'not in disguise')
})

t.test('what is wrong with a URL shows before anything is looked up', async t => {
  const destinations = guarded()
  const table: readonly (readonly [string, RegExp | null])[] = [
    ['https://example.org/hook', null],
    ['http://example.org:8080/', null],
    ['example.org', /wanted a URL/],
    ['//example.org', /wanted a URL/],
    ['ftp://example.org/', /http/],
    ['file:/etc/passwd', /http/],
    ['gopher://example.org/', /http/],
    ['https://user@example.org/', /password/],
    ['https://:secret@example.org/', /password/],
    ['http://example.org:22/', /port/],
    ['http://example.org:0/', /port/],
    ['https://example.org:587/', /port/],
    ['http://169.254.169.254/latest/meta-data', /not public; THE_SETTING names/],
  ]
  for (const [url, says] of table) {
    if (says === null) t.equal(destinations.complaint(url), null, url)
    else t.match(destinations.complaint(url) ?? '', says, url)
  }
})

t.test('any port may be called where the operator names the URL', async t => {
  const destinations = new Destinations({ allowed: [], denied: [], setting: 'THE_SETTING', anyPort: true })
  t.equal(destinations.complaint('http://8.8.8.8:88/'), null)
})
