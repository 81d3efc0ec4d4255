import t, { type Test } from 'tap'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { procGauges, type Latency } from '../../src/agent/gauges/proc.js'
import { RttWindow } from '../../src/agent/gauges/rtt-window.js'
import { systemClock, type Clock } from '../../src/kit/clock.js'

t.test('a second reading gives every gauge of a heartbeat', async t => {
  const { root, clock, pass } = machine(t)
  const latency = (): Latency => ({ target: 'vpn.example', p50Ms: 12, p95Ms: 30, lossPct: 0.5 })
  const gauges = procGauges({ root, clock, latency })
  gauges()
  pass(2_000)
  write(root, 'stat', 'cpu  1100 0 160 1850 30 0 20 0 0 0\ncpu0 0 0 0 0\n')
  write(root, 'net/dev', netDev({ rx: 3_500_000, rxPackets: 3_000, tx: 1_250_000, txPackets: 1_500 }))
  write(root, 'net/snmp', snmp(130, 270))

  t.match(gauges(), {
    iface: 'eth0',
    pingTarget: 'vpn.example',
    uptimeS: 35_012.5,
    load1: '0.42',
    memTotalMb: 2_000,
    memFreeMb: 1_500,
    cpuTotalPct: 16,
    softirqPct: 2,
    bwRxMbps: 10,
    bwTxMbps: 5,
    bwTotalMbps: 15,
    ppsRx: 1_000,
    ppsTx: 750,
    ppsTotal: 1_750,
    connEstRateS: 100,
    activeConns: 512,
    conntrackUsagePct: 0.78125,
    rxDropped: 7,
    txDropped: 3,
    latencyP50Ms: 12,
    latencyP95Ms: 30,
    packetLossPct: 0.5,
  })
})

t.test('the first reading has levels but no rates', async t => {
  const { root, clock } = machine(t)
  const reading = procGauges({ root, clock })()
  t.equal(reading.load1, '0.42')
  t.notHas(reading, { bwRxMbps: 0 })
  t.notHas(reading, { cpuTotalPct: 0 })
})

t.test('what a system does not tell is left out', async t => {
  const root = t.testdir({ loadavg: '0.01 0.02 0.03 1/2 3\n' })
  const gauges = procGauges({ root })
  gauges()
  t.same(gauges(), { load1: '0.01' })
})

t.test('an interface that was made anew gives no rate until it has counted twice', async t => {
  const { root, clock, pass } = machine(t)
  const gauges = procGauges({ root, clock })
  gauges()
  pass(1_000)
  write(root, 'net/dev', netDev({ rx: 10, rxPackets: 1, tx: 10, txPackets: 1 }))
  t.equal(gauges().bwRxMbps, undefined)
  pass(1_000)
  write(root, 'net/dev', netDev({ rx: 125_010, rxPackets: 101, tx: 10, txPackets: 1 }))
  t.equal(gauges().bwRxMbps, 1)
  t.equal(gauges().ppsTx, undefined, 'two readings at the same moment have no rate')
})

t.test('the traffic is that of the default route with the lowest metric', async t => {
  const { root } = machine(t)
  const iface = () => procGauges({ root })().iface
  write(root, 'net/route', `Iface\tDestination\n${defaultRoute('wlan0', 600)}${defaultRoute('eth0', 100)}`)
  t.equal(iface(), 'eth0')
  write(root, 'net/route', `Iface\tDestination\n${defaultRoute('lo', 1)}${defaultRoute('eth0', 100)}`)
  t.equal(iface(), 'lo')
})

t.test('a machine with IPv6 alone has its default route there', async t => {
  const { root } = machine(t)
  write(root, 'net/route', 'Iface\tDestination\n')
  const all = '0'.repeat(32)
  const unreachable = `${all} 00 ${all} 00 ${all} ffffffff 1 0 00200200 lo\n`
  write(
    root,
    'net/ipv6_route',
    `${unreachable}${all} 00 ${all} 00 fe80${'0'.repeat(27)}1 00000400 1 0 00450003 eth0\n`,
  )
  t.equal(procGauges({ root })().iface, 'eth0')
})

t.test('latency is the middle and the slow end of the last round trips', async t => {
  const window = new RttWindow()
  t.equal(window.to('vpn.example'), null)
  for (let ms = 1; ms <= 40; ms++) window.add(ms)
  t.same(window.to('vpn.example'), { target: 'vpn.example', p50Ms: 26, p95Ms: 39, lossPct: null })
})

t.test('this machine is read in well under a millisecond', async t => {
  const gauges = procGauges()
  gauges()
  const times = Array.from({ length: 50 }, () => {
    const began = performance.now()
    gauges()
    return performance.now() - began
  }).sort((a, b) => a - b)
  t.comment(`median ${times[25]?.toFixed(3)} ms`)
  t.ok((times[25] ?? Infinity) < 2, 'leaves room for a machine that is busy')
})

/** A /proc of files, and a clock to read it by. */
function machine(t: Test) {
  const root = t.testdir({
    uptime: '35012.50 60000.00\n',
    loadavg: '0.42 0.30 0.20 2/345 6789\n',
    meminfo: 'MemTotal:        2048000 kB\nMemFree:          100000 kB\nMemAvailable:    1536000 kB\n',
    stat: 'cpu  1000 0 120 1040 0 0 0 0 0 0\ncpu0 0 0 0 0\n',
    net: {
      dev: netDev({ rx: 1_000_000, rxPackets: 1_000, tx: 0, txPackets: 0 }),
      route: `Iface\tDestination\n${defaultRoute('eth0', 0)}`,
      snmp: snmp(100, 100),
    },
    sys: { net: { netfilter: { nf_conntrack_count: '512\n', nf_conntrack_max: '65536\n' } } },
  })
  let nowMs = 1_000
  const clock: Clock = { ...systemClock, now: () => nowMs }
  return { root, clock, pass: (ms: number) => (nowMs += ms) }
}

function netDev(n: { rx: number; rxPackets: number; tx: number; txPackets: number }): string {
  return [
    'Inter-|   Receive                                                |  Transmit',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls',
    '    lo: 99 9 0 0 0 0 0 0 99 9 0 0 0 0 0 0',
    `  eth0: ${n.rx} ${n.rxPackets} 0 7 0 0 0 0 ${n.tx} ${n.txPackets} 0 3 0 0 0 0`,
    '',
  ].join('\n')
}

function snmp(active: number, passive: number): string {
  return `Ip: Forwarding\nIp: 1\nTcp: RtoAlgorithm ActiveOpens PassiveOpens\nTcp: 1 ${active} ${passive}\n`
}

function defaultRoute(iface: string, metric: number): string {
  return `${iface}\t00000000\t010200C0\t0003\t0\t0\t${metric}\t00000000\t0\t0\t0\n`
}

function write(root: string, path: string, text: string): void {
  writeFileSync(join(root, path), text)
}
