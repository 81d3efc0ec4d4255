import t from 'tap'
import { BadSpec, readSpecs } from './nat-spec.js'

const BARE = { nats: [], besides: null, lifetimeS: null, remap: false, lan: null, v6: false }

t.test('hosts are written with what they live behind', async t => {
  t.same(readSpecs('node=port+sym,to=20,lan=10.0.0 n2@node client=full,remap,v6 other=none'), [
    {
      ...BARE,
      name: 'node',
      text: 'port+sym,to=20,lan=10.0.0',
      nats: ['port', 'sym'],
      lifetimeS: 20,
      lan: '10.0.0',
    },
    { ...BARE, name: 'n2', text: 'node', besides: 'node' },
    { ...BARE, name: 'client', text: 'full,remap,v6', nats: ['full'], remap: true, v6: true },
    { ...BARE, name: 'other', text: 'none' },
  ])
  t.same(readSpecs('port:sym'), readSpecs('node=port client=sym'))
})

t.test('what cannot be read says what was wanted', async t => {
  for (const [line, wanted] of [
    ['', 'wanted for example node=port'],
    ['node', 'wanted for example node=port'],
    ['Node=port', 'wanted for example node=port'],
    ['server=none', 'wanted for example node=port'],
    ['node=prot', 'wanted none, full, addr, port, sym, block, not prot'],
    ['node=port+none', 'not none'],
    ['node=port,to=0', 'wanted to=SECONDS, remap, v6 or lan=A.B.C, not to=0'],
    ['node=port node=sym', 'node: wanted once'],
    ['node=none n2@node', 'n2@node: wanted a host behind a router'],
  ] as const) {
    const readLine = () => readSpecs(line)
    t.throws(readLine, new BadSpec(), line)
    t.throws(readLine, { message: new RegExp(wanted) })
  }
})
