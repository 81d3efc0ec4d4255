import t from 'tap'
import { readDescription, writeDescription } from '../../src/agent/ice/description.js'
import { IceWay } from '../../src/agent/ice/ice-way.js'
import { nodeIce } from '../../src/agent/ice/node-peer.js'
import type { IceEvents, IcePeer, OpenIce } from '../../src/agent/ice/peer.js'
import type { LinkWay, Peer, WayHost } from '../../src/agent/ports.js'
import { type Clock, systemClock } from '../../src/kit/clock.js'
import type { Wire, WireOf } from '../../src/protocol/messages.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { until } from '../support/until.js'

const LINK = 0x1_0001
const peer = (peerId: string): Peer => ({
  link: LINK,
  routeId: 'r-1',
  peerId,
  peerKey: new Uint8Array(32),
  peerOverlay4: '10.77.0.2/32',
  peerOverlay6: 'fd77::2/128',
  allowedIps: [],
  keepaliveS: 0,
})

/** One end of a link: its way, what it said and what arrived. */
class End {
  readonly said: Wire[] = []
  readonly packets: { readonly text: string; readonly tier: string }[] = []
  readonly way: IceWay
  readonly link: LinkWay
  /** Where its signals go. */
  other: End | null = null

  constructor(clock: Clock, openIce: OpenIce, id: string) {
    this.way = new IceWay({ clock, openIce })
    const host: WayHost = {
      say: event => {
        this.said.push(event)
        if (event.type === 'path.signal') this.other?.link.hear(event)
      },
      deliver: (packet, tier) => this.packets.push({ text: Buffer.from(packet).toString(), tier }),
      policy: 'auto',
      iceServers: () => [],
      relayedRttMs: () => null,
    }
    this.link = this.way.open(peer(id), host)
  }

  get outcomes(): readonly WireOf<'path.attempt'>[] {
    return this.said.filter(event => event.type === 'path.attempt')
  }

  punch(attempt: number, controlling: boolean): void {
    this.link.hear({
      type: 'path.punch',
      link: LINK,
      attempt,
      via: 'ice',
      controlling,
      key: new Uint8Array(32),
      startInMs: 10,
      tryForMs: 5_000,
      candidates: [],
    })
  }
}

function pair(clock: Clock, openIce: OpenIce): { client: End; node: End; punch: (attempt: number) => void } {
  const client = new End(clock, openIce, 'fra-1')
  const node = new End(clock, openIce, 'anna')
  client.other = node
  node.other = client
  return {
    client,
    node,
    punch: attempt => {
      client.punch(attempt, true)
      node.punch(attempt, false)
    },
  }
}

t.test(
  'with the real library',
  { skip: nodeIce() === null && 'node-datachannel has no build here' },
  async t => {
    const openIce = nodeIce() as OpenIce // not skipped
    const { client, node, punch } = pair(systemClock, openIce)
    t.teardown(() => Promise.all([client.way.stop(), node.way.stop()]))

    t.match(client.said, [{ type: 'path.signal', candidates: [] }], 'an end says that it can be asked')
    t.equal(client.link.tier, null)
    punch(1)
    await until('both ends carry', () => client.link.tier !== null && node.link.tier !== null)
    t.match(client.outcomes, [
      { attempt: 1, outcome: 'direct', local: /^(host|srflx) /, remote: /^(host|srflx) / },
    ])
    t.match(node.outcomes, [{ attempt: 1, outcome: 'direct' }])
    t.ok((client.link.rttMs ?? -1) >= 0, 'its round trip is known')

    client.link.send(Buffer.from('hello'))
    node.link.send(Buffer.from('who is there?'))
    await until('both packets arrived', () => node.packets.length > 0 && client.packets.length > 0)
    t.same(node.packets, [{ text: 'hello', tier: 'direct' }])
    t.same(client.packets, [{ text: 'who is there?', tier: 'direct' }])

    punch(2)
    await until(
      'both ends report the second attempt',
      () => client.outcomes.length === 2 && node.outcomes.length === 2,
    )
    t.match(client.outcomes[1], { attempt: 2, outcome: 'direct' }, 'a new attempt replaces what carried')
    client.link.send(Buffer.from('again'))
    await until('the packet of the second attempt', () => node.packets.length === 2)

    node.link.close()
    await until('the loss is noticed', () => client.outcomes.length === 3)
    t.match(client.outcomes[2], { attempt: 2, outcome: 'lost' }, 'an end that went away is noticed')
    t.equal(client.link.tier, null)
  },
)

/** An ICE stack that connects when it is told to. */
class FakeIce {
  readonly peers: FakePeer[] = []
  /** Whether what is sent arrives. */
  works = true
  relayed = false
  readonly open: OpenIce = ({ events, offers }) => {
    const made = new FakePeer(this, events, offers)
    this.peers.push(made)
    return made
  }
}

class FakePeer implements IcePeer {
  readonly heard: string[] = []
  closed = false
  readonly #ice: FakeIce
  readonly events: IceEvents
  readonly offers: boolean

  constructor(ice: FakeIce, events: IceEvents, offers: boolean) {
    this.#ice = ice
    this.events = events
    this.offers = offers
  }

  get #other(): FakePeer | undefined {
    return this.#ice.works
      ? this.#ice.peers.find(each => each.offers !== this.offers && !each.closed)
      : undefined
  }

  hear(sdp: string): void {
    if (sdp.includes('nonsense')) throw new Error('not a description')
    this.heard.push(sdp)
  }
  send(packet: Uint8Array): boolean {
    this.#other?.events.packet(packet)
    return true
  }
  check(bytes: Uint8Array): void {
    this.#other?.events.check(bytes)
  }
  pair() {
    return { local: 'host 192.0.2.1:1', remote: 'host 192.0.2.2:2', relayed: this.#ice.relayed }
  }
  close(): void {
    this.closed = true
  }
}

async function connected(relayed = false) {
  const clock = new SimulatedClock()
  const ice = new FakeIce()
  ice.relayed = relayed
  const ends = pair(clock, ice.open)
  ends.punch(1)
  await clock.run(50)
  for (const each of ice.peers) each.events.opened()
  await clock.run(1)
  return { clock, ice, ...ends }
}

t.test('a pair that uses a TURN server counts as turned, and moves when ICE does', async t => {
  const { clock, ice, client } = await connected(true)
  t.equal(client.link.tier, 'turned')
  ice.relayed = false
  client.link.send(Buffer.from('x'))
  await clock.run(2_500)
  t.equal(client.link.tier, 'direct')
  t.same(
    client.outcomes.map(({ outcome }) => outcome),
    ['turned', 'direct'],
  )
})

t.test('silence under traffic is noticed within three seconds, and the relay carries', async t => {
  const { clock, ice, client, node } = await connected()
  ice.works = false
  for (let i = 0; i < 30; i++) {
    client.link.send(Buffer.from('x'))
    await clock.run(100)
  }
  t.equal(client.link.tier, null)
  t.match(client.outcomes.at(-1), { outcome: 'lost', cause: 'silent' })
  t.ok(ice.peers.every(each => each.offers !== true || each.closed))
  await clock.run(20_000)
  t.equal(node.link.tier, null, 'the idle end notices with its next checks')
})

t.test('a path that nobody uses is checked rarely and stays', async t => {
  const { clock, client, node } = await connected()
  await clock.run(120_000)
  t.equal(client.link.tier, 'direct')
  t.equal(node.link.tier, 'direct')
  t.equal(client.outcomes.length, 1)
})

t.test('an attempt without an answer fails in its time', async t => {
  const clock = new SimulatedClock()
  const { client, punch } = pair(clock, new FakeIce().open)
  punch(7)
  await clock.run(5_009)
  t.same(client.outcomes, [])
  await clock.run(2)
  t.match(client.outcomes, [{ attempt: 7, outcome: 'failed', cause: 'no_answer' }])
})

t.test('descriptions belong to their attempt, and what is none costs the attempt alone', async t => {
  const clock = new SimulatedClock()
  const ice = new FakeIce()
  const { client, node, punch } = pair(clock, ice.open)
  punch(2)
  await clock.run(20)
  const hear = (bytes: Uint8Array) =>
    node.link.hear({ type: 'path.signal', link: LINK, revision: 9, candidates: [], ice: bytes })
  const answering = ice.peers.find(each => !each.offers)
  hear(writeDescription('v=0\r\ns=-\r\n', 1))
  t.same(answering?.heard, [], 'a late one of an earlier attempt is left alone')
  hear(writeDescription('v=0\r\ns=-\r\n', 2))
  t.same(answering?.heard, ['v=0\r\ns=-\r\n'])
  hear(Buffer.from([0xff, 0x00]))
  hear(writeDescription('v=0\r\nnonsense\r\n', 2))
  t.match(node.outcomes, [{ outcome: 'failed', cause: 'no_candidates' }])
  t.same(client.outcomes, [])
})

t.test('the network changed: what carried is given up, and the other end is asked anew', async t => {
  const { client } = await connected()
  const before = client.said.filter(({ type }) => type === 'path.signal').length
  client.way.networkChanged()
  t.match(client.outcomes.at(-1), { outcome: 'lost', cause: 'network_changed' })
  t.equal(client.said.filter(({ type }) => type === 'path.signal').length, before + 1)
})

t.test('an end that is introduced again says again what carries, and nothing new', async t => {
  const { client } = await connected()
  const said = client.said.length
  const revisions = () => client.said.flatMap(event => (event.type === 'path.signal' ? event.revision : []))
  const last = Math.max(...revisions())
  client.link.introduced(peer('fra-1'))
  t.match(client.said.slice(said), [
    { type: 'path.attempt', attempt: 1, outcome: 'direct' },
    { type: 'path.signal', revision: last },
  ])
})

t.test('what the coordinator settles as relayed carries no more, and nobody reports a loss', async t => {
  const { client } = await connected()
  client.link.hear({ type: 'path.settled', link: LINK, tier: 'relayed' })
  t.equal(client.link.tier, null)
  t.equal(client.outcomes.length, 1)
})

t.test('a description is read as it was written', async t => {
  const sdp = 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\na=mid:0\r\n'
  t.same(readDescription(writeDescription(sdp, 3)), { sdp, attempt: 3 })
  t.same(
    readDescription(writeDescription(`${sdp}a=end-of-candidates\r\n`, 3)),
    { sdp, attempt: 3 },
    'the library is not told that no more candidates come',
  )
  t.equal(readDescription(Buffer.from(sdp)), null, 'without its attempt')
  t.equal(readDescription(Buffer.from('a=x-attempt:1\r\n')), null, 'without a version')
})
