import t, { type Test } from 'tap'
import type { LookupAddress } from 'node:dns'
import { readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { startForwarding } from '../../src/agent/exit/forwarding.js'
import { FullTunnel } from '../../src/agent/exit/full-tunnel.js'
import { KnownAddresses } from '../../src/agent/exit/known-addresses.js'
import { SystemError } from '../../src/agent/system/errors.js'
import { Ledger } from '../../src/agent/system/ledger.js'
import { planResolver, restoreResolver, writeResolver } from '../../src/agent/system/resolver.js'
import { run } from '../../src/agent/system/run.js'
import { SimulatedClock } from '../support/simulated-clock.js'

t.test('what a dead agent took is given back by the next start, newest first', async t => {
  const { file, commands, run } = desk(t)
  const first = await Ledger.open(file, run)
  await first.ledger.take({ kind: 'interface', name: 'boson0' }, () => {})
  await first.ledger.take({ kind: 'rule', family: '-4', rule: ['lookup', '25199'] }, () => {})

  const second = await Ledger.open(file, run)
  t.same(commands, ['ip -4 rule del lookup 25199', 'ip link del dev boson0'])
  t.equal(second.recovered.length, 2)
  t.same((await Ledger.open(file, run)).recovered, [], 'and only once')
})

t.test('what is taken is on disk before the machine is changed', async t => {
  const { file, run } = desk(t)
  const { ledger } = await Ledger.open(file, run)
  await ledger.take({ kind: 'interface', name: 'boson7' }, () => {
    t.match(readFileSync(file, 'utf8'), '"boson7"')
  })
})

t.test('a change that failed took nothing, one without an answer may have', async t => {
  const { file, commands, run } = desk(t)
  const { ledger } = await Ledger.open(file, run)
  const fail = (code: 'command_failed' | 'command_timed_out') => () => {
    throw new SystemError(code, 'no')
  }
  await t.rejects(ledger.take({ kind: 'interface', name: 'theirs' }, fail('command_failed')))
  await t.rejects(ledger.take({ kind: 'interface', name: 'slow' }, fail('command_timed_out')))
  await ledger.giveBackAll()
  t.same(commands, ['ip link del dev slow'])
})

t.test('what was taken in another network, or before a reboot, is left alone', async t => {
  const { file, commands, run, root } = desk(t)
  const resolv = `${root}/resolv.conf`
  writeFileSync(resolv, 'nameserver 192.0.2.1\n')
  const { ledger } = await Ledger.open(file, run)
  await ledger.take({ kind: 'interface', name: 'boson0' }, () => {})
  const resolver = planResolver(resolv, ['9.9.9.9'])
  await ledger.take(resolver, () => writeResolver(resolver))
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"boot":"[^"]*"/, '"boot":"before"'))

  await Ledger.open(file, run)
  t.same(commands, [], 'the interface went with the machine')
  t.equal(readFileSync(resolv, 'utf8'), 'nameserver 192.0.2.1\n', 'the resolver did not')
})

t.test('what cannot be given back stays in the ledger', async t => {
  const { file, run } = desk(t)
  const { ledger } = await Ledger.open(file, run)
  await ledger.take({ kind: 'interface', name: 'boson0' }, () => {})
  const refused = async () => {
    throw new SystemError('not_permitted', 'Operation not permitted')
  }
  await t.rejects(Ledger.open(file, refused), { code: 'not_permitted' })
  t.equal((await Ledger.open(file, run)).recovered.length, 1)
})

t.test('what is gone already counts as given back', async t => {
  const { file } = desk(t)
  const gone = async () => {
    throw new SystemError('command_failed', 'ip link del dev boson0: Cannot find device "boson0"')
  }
  const { ledger } = await Ledger.open(file, gone)
  await ledger.take({ kind: 'interface', name: 'boson0' }, () => {})
  await ledger.giveBackAll()
  t.same((await Ledger.open(file, gone)).recovered, [])
})

t.test('a damaged ledger is an empty one', async t => {
  const { file, run } = desk(t)
  writeFileSync(file, '{"taken": [')
  t.same((await Ledger.open(file, run)).recovered, [])
})

t.test('an exit forwards and masquerades, and puts every setting back', async t => {
  const { commands, run, root } = desk(t)
  const settings = t.testdir({
    net: {
      ipv4: { ip_forward: '0\n' },
      ipv6: { conf: { all: { forwarding: '0\n' }, eth0: { accept_ra: '1\n' }, eth1: { accept_ra: '0\n' } } },
    },
  })
  const read = (path: string) => readFileSync(`${settings}/net/${path}`, 'utf8').trim()
  const { ledger } = await Ledger.open(`${root}.json`, run)
  await startForwarding({ iface: 'boson0', ledger, run, settings })
  t.match(commands[0], /^nft -f - < add table inet boson-boson0\n[^]*masquerade/)
  t.same(
    [
      'ipv4/ip_forward',
      'ipv6/conf/all/forwarding',
      'ipv6/conf/eth0/accept_ra',
      'ipv6/conf/eth1/accept_ra',
    ].map(read),
    ['1', '1', '2', '0'],
    'a machine that forwards still hears its router',
  )
  await ledger.giveBackAll()
  t.same(['ipv4/ip_forward', 'ipv6/conf/all/forwarding', 'ipv6/conf/eth0/accept_ra'].map(read), [
    '0',
    '0',
    '1',
  ])
  t.equal(commands.at(-1), 'nft delete table inet boson-boson0')
})

t.test('a machine that forwarded before still does after', async t => {
  const { run, root } = desk(t)
  const settings = t.testdir({ net: { ipv4: { ip_forward: '1\n' } } })
  const { ledger } = await Ledger.open(`${root}.json`, run)
  await startForwarding({ iface: 'boson0', ledger, run, settings })
  await ledger.giveBackAll()
  t.equal(readFileSync(`${settings}/net/ipv4/ip_forward`, 'utf8'), '1\n')
})

t.test('a full tunnel that cannot be completed leaves nothing behind', async t => {
  const { file, commands, run } = desk(t, 'suppress_prefixlength')
  const { ledger } = await Ledger.open(file, run)
  const tunnel = new FullTunnel({ outside: () => ['203.0.113.10'], dns: [], ledger, run })
  await t.rejects(tunnel.cover({ name: 'boson0', ipv6: false }), { code: 'command_failed' })
  t.same(commands.slice(-2), [
    'ip -4 route del unreachable default metric 4294967295 table 25199',
    'ip -4 rule del to 203.0.113.10 lookup main priority 25199',
  ])
  t.same((await Ledger.open(file, run)).recovered, [])
})

t.test('what leaves by the ports of direct paths stays outside a full tunnel', async t => {
  const { file, commands, run } = desk(t)
  const { ledger } = await Ledger.open(file, run)
  const tunnel = new FullTunnel({ outside: () => [], dns: [], ledger, run })
  await tunnel.keepPortOutside(51_820)
  t.same(commands, [], 'nothing is to be done while nothing is covered')
  await tunnel.cover({ name: 'boson0', ipv6: false })
  await tunnel.keepPortOutside(40_000)
  await tunnel.keepPortOutside(40_000)
  const rules = commands.filter(each => each.startsWith('ip -4 rule add ipproto'))
  t.same(rules, [
    'ip -4 rule add ipproto udp sport 51820 lookup main priority 25199',
    'ip -4 rule add ipproto udp sport 40000 lookup main priority 25199',
  ])
  await tunnel.letPortIn(40_000)
  t.match(commands.at(-1), /rule del ipproto udp sport 40000 lookup main priority 25199/)
  await ledger.giveBackAll()
  t.ok(commands.includes('ip -4 rule del ipproto udp sport 51820 lookup main priority 25199'))
})

t.test('the resolver comes back as it was, even as a symbolic link', async t => {
  const root = t.testdir({ stub: 'nameserver 127.0.0.53\n' })
  const path = `${root}/resolv.conf`
  symlinkSync('stub', path)
  const resolver = planResolver(path, ['9.9.9.9', '2620:fe::fe'])
  writeResolver(resolver)
  t.match(readFileSync(path, 'utf8'), 'nameserver 9.9.9.9\nnameserver 2620:fe::fe\n')
  t.equal(readFileSync(`${root}/stub`, 'utf8'), 'nameserver 127.0.0.53\n', 'what it pointed to is untouched')
  restoreResolver(resolver)
  t.equal(readlinkSync(path), 'stub')
})

t.test('a resolver that someone else has written since is theirs', async t => {
  const path = `${t.testdir({ 'resolv.conf': 'nameserver 192.0.2.1\n' })}/resolv.conf`
  const resolver = planResolver(path, ['9.9.9.9'])
  writeResolver(resolver)
  writeFileSync(path, 'nameserver 192.0.2.77\n')
  restoreResolver(resolver)
  t.equal(readFileSync(path, 'utf8'), 'nameserver 192.0.2.77\n')
})

t.test('a program that is missing, fails or hangs says so', async t => {
  await t.rejects(run('boson-no-such-program', []), { code: 'tool_missing', message: /install the package/ })
  await t.rejects(run('sh', ['-c', 'echo Operation not permitted >&2; exit 2']), { code: 'not_permitted' })
  await t.rejects(run('sh', ['-c', 'echo broken >&2; exit 2']), { code: 'command_failed', message: /broken/ })
  await t.rejects(run('sleep', ['10'], { timeoutMs: 30 }), { code: 'command_timed_out' })
  t.equal(await run('cat', [], { stdin: 'secret' }), 'secret')
})

t.test('an agent finds back to its coordinator when the resolver is silent', async t => {
  const clock = new SimulatedClock()
  let answer: Promise<readonly string[]> = Promise.resolve(['192.0.2.7', '2001:db8::7'])
  const known = new KnownAddresses('wss://mesh.example/mesh', clock, () => answer)
  const moves: (readonly string[])[] = []
  known.moved = async addresses => void moves.push(addresses)
  t.same(await look(known, 'mesh.example'), ['192.0.2.7', '2001:db8::7'])
  t.same(moves, [['192.0.2.7', '2001:db8::7']])

  answer = new Promise(() => {})
  const asked = look(known, 'mesh.example')
  await clock.run(1_500)
  t.same(await asked, ['192.0.2.7', '2001:db8::7'], 'what it knew')
  answer = Promise.reject(new Error('ENOTFOUND'))
  t.same(await look(known, 'mesh.example'), ['192.0.2.7', '2001:db8::7'])

  answer = Promise.resolve(['192.0.2.8'])
  t.same(await look(known, 'mesh.example'), ['192.0.2.8'], 'the coordinator has moved')
  t.same(moves.at(-1), ['192.0.2.8'], 'and stays outside the tunnel there, too')
})

t.test('a name that was never resolved is an error, an address needs no resolver', async t => {
  const clock = new SimulatedClock()
  const never = new KnownAddresses('wss://mesh.example/mesh', clock, () =>
    Promise.reject(new Error('ENOTFOUND')),
  )
  await t.rejects(look(never, 'mesh.example'), { message: 'ENOTFOUND' })
  t.same(new KnownAddresses('ws://[2001:db8::1]:1/mesh', clock).all, ['2001:db8::1'])
  t.same(new KnownAddresses('ws://203.0.113.10/mesh', clock).all, ['203.0.113.10'])
})

function look(known: KnownAddresses, name: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    known.lookup(name, { all: true }, (error, found) => {
      if (error === null)
        resolve((found as LookupAddress[]).map(each => each.address)) // asked for all
      else reject(error)
    })
  })
}

/** A ledger's file, and commands that are only written down; one that contains `broken` fails. */
function desk(t: Test, broken?: string) {
  const root = t.testdir()
  const commands: string[] = []
  return {
    root,
    file: `${root}/machine.json`,
    commands,
    run: async (command: string, args: readonly string[], { stdin = '' } = {}) => {
      const line = [command, ...args].join(' ')
      if (broken !== undefined && line.includes(broken))
        throw new SystemError('command_failed', 'File exists')
      commands.push(stdin === '' ? line : `${line} < ${stdin.trim()}`)
      return ''
    },
  }
}
