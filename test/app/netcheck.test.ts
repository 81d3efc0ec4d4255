/** What `boson netcheck` tells a person. */
import t from 'tap'
import { createSocket } from 'node:dgram'
import { checklist, checklistPage } from '../../src/app/netcheck/checklist.js'
import { type Behaviour, type Nat, UNKNOWN_NAT } from '../../src/mesh/nat.js'
import { commandIn } from '../support/boson.js'

const EIM = 'endpoint_independent'
const APDM = 'address_and_port_dependent'

t.test('at home most peers are reached directly, and the rest could be', async t => {
  const list = checklist(like(EIM, APDM), 12)
  t.same(
    list.expectations.map(({ tier }) => tier),
    ['direct', 'direct', 'relayed', 'relayed'],
  )
  t.match(list.advice[0], /most peers are reached directly as it is/)
  const page = checklistPage(list)
  t.match(page, /✓ {2}UDP +gets out, and an answer back after 12 ms/)
  t.match(page, /✓ {2}address +seen as 198\.51\.100\.7:40000, translated/)
  t.match(page, /! {2}filtering +address and port dependent/)
  t.match(page, / {2}direct +in the open/)
})

t.test('behind a symmetric NAT it says what to open', async t => {
  const list = checklist(like(APDM, APDM), 12)
  t.same(
    list.expectations.map(({ tier }) => tier),
    ['direct', 'relayed', 'relayed', 'relayed'],
  )
  t.match(list.advice[0], /can keep one port for all destinations/)
})

t.test('in the open nothing needs to be done', async t => {
  const list = checklist({ ...like(EIM, EIM), nat: false }, null)
  t.same(list.advice, [])
  t.match(checklistPage(list), /Nothing needs to be done/)
})

t.test('what could not be told is said so', async t => {
  const page = checklistPage(checklist({ ...UNKNOWN_NAT, udp: 'open' }, 5))
  t.match(page, /\? {2}mapping +not known/)
  t.match(page, /\? {2}IPv6 +there is an address/)
  t.match(page, /perhaps direct/)
  const partly = checklistPage(checklist(like('port_independent', 'port_independent'), 5))
  t.match(partly, /the port does not count; whether the address does/)
})

t.test('where UDP is blocked only that is said', async t => {
  const page = checklistPage(checklist({ ...UNKNOWN_NAT, udp: 'blocked', ipv6: false }, null))
  t.match(page, /✗ {2}UDP/)
  t.notMatch(page, /mapping/)
  t.match(page, /let UDP out/)
})

t.test('the command asks, answers in JSON, and exits with 3 when nobody answers', async t => {
  const boson = commandIn(t)
  const silent = createSocket('udp4')
  await new Promise<void>(resolve => silent.bind(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const { port } = silent.address()
  const { code, stdout } = await boson('netcheck', '--stun', `127.0.0.1:${port}`, '--json')
  t.equal(code, 3)
  t.match(JSON.parse(stdout), { servers: [`127.0.0.1:${port}`], nat: { udp: 'blocked' }, rttMs: null })
  t.match(await boson('netcheck', '--stun', 'nonsense:99999'), {
    code: 2,
    stderr: /--stun: wanted host:port/,
  })
})

function like(mapping: Behaviour, filtering: Behaviour): Nat {
  return {
    ...UNKNOWN_NAT,
    udp: 'open',
    mapping,
    filtering,
    nat: true,
    hairpin: false,
    portPreservation: false,
    ipv6: false,
    mapped4: { address: '198.51.100.7', port: 40_000 },
  }
}
