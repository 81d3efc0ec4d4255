/** What the inspector says of tariffs, devices and payments, and what it makes of what an admin types. */
import t from 'tap'
import { completed, fileOf, isComplete } from '../../src/inspector/page/access/config.js'
import { bytesOf, gigabytesOf } from '../../src/inspector/page/access/gigabytes.js'
import type { Entitlement, Peer, Tariff } from '../../src/inspector/page/access/kinds.js'
import { bodyOf, fieldsOf, NEW, unchanged } from '../../src/inspector/page/access/tariff-form.js'
import { hindrance, price, rate, standing, time, traffic } from '../../src/inspector/page/access/words.js'

const TARIFF: Tariff = {
  id: 2,
  name: 'Month',
  description: '',
  price: '9.90',
  currency: 'EUR',
  duration_days: 30,
  grace_hours: 48,
  device_limit: 3,
  traffic_limit_bytes: 200_000_000_000,
  throttled_bytes: 20_000_000_000,
  throttle_kbps: 1500,
  node_groups: ['eu', 'premium'],
  archived: false,
  created_at: '2026-01-01T00:00:00.000Z',
}

t.test('gigabytes are counted exactly, and shown as they were typed', async t => {
  for (const typed of ['0', '0.001', '0.1', '1.999', '2.5', '200', '9999999'])
    t.equal(gigabytesOf(bytesOf(typed) ?? -1), typed)
  t.equal(bytesOf('0,5'), 500_000_000)
  for (const typed of ['', '-1', '1e3', '1.2345', 'ten', '12345678']) t.equal(bytesOf(typed), null, typed)
})

t.test('a tariff that is opened and saved is the same tariff', async t => {
  const { id: _, created_at: __, ...body } = TARIFF
  t.strictSame(bodyOf(fieldsOf(TARIFF), false), body)
  t.strictSame(unchanged(TARIFF, true), { ...body, archived: true })
  const unlimited = { ...TARIFF, traffic_limit_bytes: null }
  t.equal(bodyOf(fieldsOf(unlimited), false).traffic_limit_bytes, null)
})

t.test('money goes as it was typed, with a point', async t => {
  t.match(bodyOf({ ...NEW, name: ' Year ', price: '89,00', currency: 'eur' }, false), {
    name: 'Year',
    price: '89.00',
    currency: 'EUR',
  })
})

t.test('what is no figure is told by the name of its field', async t => {
  t.throws(() => bodyOf({ ...NEW, days: 'a month' }, false), { message: 'Good for: wanted a whole number' })
  t.throws(() => bodyOf({ ...NEW, traffic: 'much' }, false), {
    message: 'Traffic: wanted gigabytes, such as 100 or 0.5',
  })
})

t.test('a tariff in words', async t => {
  t.equal(price(TARIFF), '9.90 EUR')
  t.equal(price({ ...TARIFF, price: '0.00' }), 'free')
  t.equal(time(TARIFF), '30 days, then 2 d of grace')
  t.equal(traffic(TARIFF), '200 GB, then 20.0 GB at 1.5 Mbit/s')
  t.equal(traffic({ ...TARIFF, traffic_limit_bytes: null }), 'unlimited')
  t.equal(rate(64), '64 kbit/s')
})

t.test('how an account stands is a sentence in each state', async t => {
  const now = Date.parse('2026-11-22T00:00:00Z')
  const entitlement: Entitlement = {
    user_id: 1,
    email: 'anna@example.org',
    state: 'active',
    until: new Date(now + 3 * 86_400_000).toISOString(),
    used_bytes: 0,
    limit_bytes: null,
    device_limit: 3,
    devices: [],
    tariff: null,
  }
  t.match(standing(entitlement, now), /3 d left/)
  const said = (['active', 'grace', 'throttled', 'used_up', 'ended', 'none', 'disabled'] as const).map(
    state => standing({ ...entitlement, state }, now),
  )
  t.equal(new Set(said).size, 7)
  for (const sentence of said) t.match(sentence, /^[A-Z].*\.$/)
})

t.test('a device says why it does not work', async t => {
  const peer: Peer = {
    id: 1,
    user_id: 1,
    email: 'anna@example.org',
    name: 'laptop',
    wg_public_key: null,
    wg_ip: null,
    wg_ip6: null,
    active: true,
    status: 'active',
    provisioner: 'mesh',
    connected: false,
    denied: null,
    identity: 'peer-1',
    error: null,
    created_at: '2026-01-01T00:00:00.000Z',
  }
  t.equal(hindrance(peer), null)
  t.equal(hindrance({ ...peer, denied: 'the traffic is used up' }), 'the traffic is used up')
  t.match(hindrance({ ...peer, status: 'refused', error: 'no address is left' }), /no address is left/)
  for (const status of ['inactive', 'pending', 'refused', 'needs_key', 'removing', 'removed'] as const)
    t.match(hindrance({ ...peer, status }), /\.$/, status)
})

t.test('a configuration is completed by the key that only the browser knows', async t => {
  const conf =
    '# peer-1\n[Interface]\n# PrivateKey = the one of abc, which only its owner knows\nMTU = 1420\n'
  t.notOk(isComplete(conf))
  t.equal(completed(conf, null), conf)
  // What a replacement would take for a pattern is a part of no key, and stays as it is all the same.
  const whole = completed(conf, '$&key=')
  t.ok(isComplete(whole))
  t.match(whole, 'PrivateKey = $&key=\nMTU')
  t.equal(fileOf('peer-17'), 'peer-17.conf')
  t.equal(fileOf('a name; that is/too long').length, 20, 'WireGuard takes 15 characters')
})
