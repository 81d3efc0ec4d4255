/** Peers at wg-easy, in each of its versions: V-08. */
import t from 'tap'
import type { WantedPeer } from '../../src/access/ports.js'
import { WgEasyDoor, type Way } from '../../src/access/wg-easy/door.js'
import { WgEasy } from '../../src/access/wg-easy/wg-easy.js'
import { Counters } from '../../src/access/wireguard/counters.js'
import { Destinations } from '../../src/http/destination.js'
import { systemClock } from '../../src/kit/clock.js'
import { publicOf } from '../../src/protocol/proof.js'
import { startPostgres } from '../parts/postgres.js'
import { accessRoom } from '../support/access-room.js'
import { ImpatientClock } from '../support/impatient-clock.js'
import {
  type FakeWgEasy,
  PASSWORD,
  SERVER_KEY,
  startWgEasy,
  USERNAME,
  type Version,
} from '../support/wg-easy.js'

const VERSIONS: readonly Version[] = [7, 13, 14, 15, 'seed']

const room = await accessRoom(t)

t.test('V-08: a peer is made, found again, disabled, enabled and removed, in every version', async t => {
  for (const version of VERSIONS)
    await t.test(`wg-easy ${version}`, async t => {
      const fake = await startWgEasy(t, version)
      const wgEasy = at(fake)

      const made = await wgEasy.apply(wanted(17))
      const [client] = fake.clients
      t.equal(fake.clients.length, 1)
      t.match(made, {
        overlay4: '10.8.0.2',
        externalId: String(client?.id),
        presharedKey: client?.presharedKey,
      })
      t.equal(text(made.publicKey), client?.publicKey)
      t.equal(
        text(publicOf(Buffer.from(made.privateKey ?? '', 'base64'))),
        client?.publicKey,
        'its private key, once',
      )

      const known = {
        ...wanted(17),
        publicKey: made.publicKey,
        overlay4: made.overlay4,
        externalId: made.externalId,
      }
      t.match(await wgEasy.apply(known), { privateKey: null, presharedKey: null, overlay4: '10.8.0.2' })
      t.equal(fake.clients.length, 1, 'asking again changes nothing')
      t.same(await wgEasy.server(), {
        publicKey: SERVER_KEY,
        endpoint: 'vpn.example.org:51820',
        allowedIps: ['0.0.0.0/0', '::/0'],
        dns: ['1.1.1.1'],
      })

      await wgEasy.apply({ ...known, enabled: false })
      t.notOk(
        fake.clients.some(({ enabled }) => enabled),
        'nothing of it carries',
      )
      await wgEasy.apply({ ...known, enabled: false })
      t.notOk(fake.clients.some(({ enabled }) => enabled))
      const again = await wgEasy.apply(known)
      t.equal(fake.clients.filter(({ enabled }) => enabled).length, 1)
      if (version !== 'seed') t.equal(text(again.publicKey), client?.publicKey, 'by the same key')

      await wgEasy.remove(known)
      t.equal(fake.clients.length, 0)
      await t.resolves(wgEasy.remove(known), 'gone is gone')
    })
})

t.test('V-08: whatever a version wants of the Authorization header is found out, and remembered', async t => {
  const table: readonly (readonly [Version, readonly string[]])[] = [
    [7, ['POST /api/session', 'GET /api/wireguard/client']],
    [13, ['GET /api/wireguard/client']],
    [14, ['GET /api/wireguard/client']],
    [15, ['GET /api/client']],
    ['seed', ['GET /clients']],
  ]
  for (const [version, last] of table) {
    const fake = await startWgEasy(t, version)
    const wgEasy = at(fake)
    await wgEasy.apply(wanted(1))
    t.ok(fake.asked.join().includes(last.join()), `${version}: ${last.join()}`)
    fake.asked.length = 0
    await wgEasy.remove(wanted(1))
    t.equal(fake.asked.length, 2, `${version}: a list and a deletion`)
  }
})

t.test('V-08: a way that was chosen is the only one; Bearer is none of wg-easy’s own', async t => {
  const table: readonly (readonly [Version, Way, boolean])[] = [
    [7, 'session', true],
    [7, 'raw', false],
    [14, 'raw', true],
    [14, 'session', true],
    [14, 'bearer', false],
    [15, 'basic', true],
    [15, 'session', true],
    [15, 'raw', false],
    ['seed', 'raw', true],
    ['seed', 'bearer', false],
  ]
  for (const [version, way, works] of table) {
    const fake = await startWgEasy(t, version)
    const done = at(fake, { way }).apply(wanted(1))
    if (works) await t.resolves(done, `${version} by ${way}`)
    else await t.rejects(done, { code: 'WG_EASY_UNAUTHORISED' }, `${version} by ${way}`)
  }
})

t.test(
  'a wrong password is told from a wg-easy that is not there, and neither tells the password',
  async t => {
    for (const version of VERSIONS) {
      const fake = await startWgEasy(t, version)
      await t.rejects(at(fake, { password: 'wrong' }).apply(wanted(1)), {
        code: 'WG_EASY_UNAUTHORISED',
        message: /WG_EASY_PASSWORD/,
      })
    }
    const gone = new WgEasy({
      clock: systemClock,
      door: door('http://127.0.0.1:9/'),
      counters: new Counters(room, 'gone'),
    })
    await t.rejects(gone.apply(wanted(1)), { code: 'WG_EASY_AWAY', message: /^(?!.*pa\$\$word)/ })
    const other = await startWgEasy(t, 7, { password: null })
    other.intercept = (_, response) => {
      response.writeHead(404).end('<html>')
      return true
    }
    await t.rejects(at(other).apply(wanted(1)), { code: 'WG_EASY_ANSWER', message: /lists clients/ })
  },
)

t.test('one without a password is served too', async t => {
  const fake = await startWgEasy(t, 7, { password: null })
  await at(fake).apply(wanted(1))
  t.equal(fake.clients.length, 1)
})

t.test('a session that has ended is begun anew, also where that shows as a 500', async t => {
  for (const version of [7, 14, 15] as const) {
    const fake = await startWgEasy(t, version)
    const wgEasy = at(fake, { way: 'session' })
    await wgEasy.apply(wanted(1))
    fake.restart()
    await wgEasy.apply(wanted(2))
    t.same(
      fake.clients.map(({ name }) => name),
      ['peer-1', 'peer-2'],
      `${version}`,
    )
  }
})

t.test('an update from 14 to 15 is noticed', async t => {
  const fake = await startWgEasy(t, 14)
  const wgEasy = at(fake)
  await wgEasy.apply(wanted(1))
  fake.version = 15
  fake.clients.length = 0
  await wgEasy.apply(wanted(2))
  t.same(
    fake.clients.map(({ name }) => name),
    ['peer-2'],
  )
})

t.test('what was cut short is finished, not done twice', async t => {
  const fake = await startWgEasy(t, 14)
  const wgEasy = at(fake)
  await wgEasy.apply(wanted(1))
  // It is made, and the answer is lost.
  let isCut = false
  fake.intercept = (request, response) => {
    if (request.method !== 'POST' || isCut) return false
    isCut = true
    fake.create('peer-2')
    response.destroy()
    return true
  }
  await t.rejects(wgEasy.apply(wanted(2)), { code: 'WG_EASY_AWAY' })
  const finished = await wgEasy.apply(wanted(2))
  t.equal(fake.clients.length, 2)
  t.equal(text(finished.publicKey), fake.clients[1]?.publicKey)
  t.ok(finished.privateKey, 'and its key is told')
})

t.test('two who make a peer at once end up with one, and the same', async t => {
  const fake = await startWgEasy(t, 15)
  const [a, b] = [at(fake), at(fake)]
  let twin = true
  // The other one is quicker, by a moment.
  fake.made = client => {
    if (!twin) return
    twin = false
    fake.clients.unshift({ ...fake.create(client.name), createdAt: '2001-01-01T00:00:00Z' })
    fake.clients.pop()
  }
  const first = await a.apply(wanted(5))
  const second = await b.apply(wanted(5))
  t.equal(fake.clients.length, 1)
  t.same(first.publicKey, second.publicKey)
  t.equal(text(first.publicKey), fake.clients[0]?.publicKey)
})

t.test('clients of others are left alone, whatever their ids', async t => {
  const fake = await startWgEasy(t, 15)
  const wgEasy = at(fake)
  const other = fake.create('somebody')
  await wgEasy.remove({ ...wanted(1), externalId: String(other.id) })
  await wgEasy.apply({ ...wanted(1), externalId: String(other.id) })
  t.same(
    fake.clients.map(({ name }) => name),
    ['somebody', 'peer-1'],
  )
})

t.test('what it will never do is refused: keys of others, and a client whose end has passed', async t => {
  const fake = await startWgEasy(t, 15)
  const wgEasy = at(fake)
  await t.rejects(wgEasy.apply({ ...wanted(1), publicKey: new Uint8Array(32) }), {
    code: 'PROVISION_REFUSED',
  })
  t.equal(fake.clients.length, 0)
  await wgEasy.apply({ ...wanted(1), enabled: false })
  for (const client of fake.clients) client.hasEnded = true
  await t.rejects(wgEasy.apply(wanted(1)), { code: 'PROVISION_REFUSED', message: /end/ })
})

t.test('bytes are counted since ever, whatever begins anew in between', async t => {
  const fake = await startWgEasy(t, 15)
  const counters = new Counters(room, 'sums')
  const wgEasy = at(fake, { counters })
  const made = await wgEasy.apply(wanted(1))
  const key = text(made.publicKey)
  const move = (rx: number, tx: number) => {
    for (const client of fake.clients) Object.assign(client, { rx: client.rx + rx, tx: client.tx + tx })
  }
  t.equal((await wgEasy.usage()).get(key), 0)
  move(1_000, 20)
  t.equal((await wgEasy.usage()).get(key), 1_020)
  t.equal((await wgEasy.usage()).get(key), 1_020, 'once')
  fake.restart()
  move(5, 0)
  t.equal((await at(fake, { counters: new Counters(room, 'sums') }).usage()).get(key), 1_025, 'ours too')
  move(100, 0)
  const known = {
    ...wanted(1),
    publicKey: made.publicKey,
    overlay4: made.overlay4,
    externalId: made.externalId,
  }
  await wgEasy.apply({ ...known, enabled: false })
  t.equal((await wgEasy.usage()).get(key), 1_125, 'what was moved until it was disabled')
  await wgEasy.apply(known)
  move(200, 0)
  t.equal((await wgEasy.usage()).get(key), 1_325, 'more than before it was disabled, and all of it counts')
  move(7, 0)
  await wgEasy.remove(known)
  t.equal((await wgEasy.usage()).get(key), 1_332, 'and is not forgotten when it is gone')
})

t.test('the same bytes are never counted twice, however many look at once', async t => {
  const postgres = await startPostgres(t)
  const rooms = [room, ...('missing' in postgres ? [] : [await accessRoom(t, await postgres.schema())])]
  for (const one of rooms) {
    const counters = new Counters(one, 'race')
    let now = 500
    const look = async () => new Map([['key', now]])
    await Promise.all(Array.from({ length: 20 }, () => counters.read(look)))
    t.equal((await counters.read(look)).get('key'), 500, one.kind)
    now = 40
    await Promise.all(Array.from({ length: 20 }, () => counters.read(look)))
    t.equal((await counters.read(look)).get('key'), 540, one.kind)
  }
})

t.test(
  'one that hangs, floods, redirects or talks nonsense is waited for in vain, and not for long',
  async t => {
    const fake = await startWgEasy(t, 15)
    const clock = new ImpatientClock()
    const wgEasy = at(fake, { clock })
    fake.intercept = () => true
    clock.hurry()
    await t.rejects(wgEasy.apply(wanted(1)), { code: 'WG_EASY_AWAY', message: /in time/ })
    clock.relax()
    fake.intercept = (_, response) => {
      response.writeHead(200).end(`[${'0,'.repeat(1 << 20)}0]`)
      return true
    }
    await t.rejects(wgEasy.apply(wanted(1)), { code: 'WG_EASY_AWAY', message: /1048576 bytes/ })
    let followed = false
    fake.intercept = (request, response) => {
      followed ||= request.url === '/elsewhere'
      response.writeHead(302, { location: '/elsewhere' }).end()
      return true
    }
    await t.rejects(wgEasy.apply(wanted(1)), { code: 'WG_EASY_UNAUTHORISED' })
    t.notOk(followed)
    for (const nonsense of [
      '[{"id":1}]',
      '[{"id":"../../x","name":"peer-1","publicKey":"x","enabled":true}]',
      '[1',
      '[null]',
    ]) {
      fake.intercept = (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(nonsense)
        return true
      }
      await t.rejects(wgEasy.apply(wanted(1)), { code: 'WG_EASY_ANSWER' }, nonsense)
    }
  },
)

t.test('it is called at the address that was looked at, and only where that is allowed', async t => {
  const fake = await startWgEasy(t, 15)
  const port = new URL(fake.url).port
  const lookUp = async (name: string) => (name === 'wg.test' ? ['127.0.0.1'] : ['169.254.169.254'])
  const named = (name: string, allowed: readonly string[]) =>
    new WgEasy({
      clock: systemClock,
      door: door(`http://${name}:${port}/`, {
        destinations: new Destinations({
          allowed,
          denied: [],
          setting: 'WG_EASY_NETWORKS',
          anyPort: true,
          lookUp,
        }),
      }),
      counters: new Counters(room, 'named'),
    })
  await t.resolves(named('wg.test', ['127.0.0.0/8']).apply(wanted(1)))
  await t.rejects(named('wg.test', []).apply(wanted(1)), {
    code: 'WG_EASY_AWAY',
    message: /WG_EASY_NETWORKS/,
  })
  await t.rejects(named('metadata.test', ['127.0.0.0/8']).apply(wanted(1)), { code: 'WG_EASY_AWAY' })
})

const text = (key: Uint8Array): string => Buffer.from(key).toString('base64')

const wanted = (peerId: number): WantedPeer => ({
  peerId,
  identityId: `peer-${peerId}`,
  name: 'phone',
  publicKey: null,
  overlay4: null,
  overlay6: null,
  externalId: null,
  enabled: true,
})

interface Wish {
  readonly way?: Way | 'auto'
  readonly password?: string
  readonly clock?: typeof systemClock
  readonly counters?: Counters
  readonly destinations?: Destinations
}

const door = (url: string, wish: Wish = {}): WgEasyDoor =>
  new WgEasyDoor({
    clock: wish.clock ?? systemClock,
    destinations:
      wish.destinations ??
      new Destinations({ allowed: ['127.0.0.0/8'], denied: [], setting: 'WG_EASY_NETWORKS', anyPort: true }),
    url,
    username: USERNAME,
    password: wish.password ?? PASSWORD,
    way: wish.way ?? 'auto',
  })

let fakes = 0
function at(fake: FakeWgEasy, wish: Wish = {}): WgEasy {
  const { clock = systemClock, counters = new Counters(room, `fake ${fakes++}`) } = wish
  return new WgEasy({ clock, door: door(fake.url, wish), counters })
}
