/** Clients that others wrote: coturn's, in every mode that a client of ours may use too. */
import t from 'tap'
import {
  background,
  certificate,
  coturnMissing,
  LOOPBACK,
  output,
  PEER_ADDRESS,
  portOf,
  SECRET,
  startTurn,
} from './real.js'

const PEER_PORT = 34_807
const MESSAGES = 5

/** How the client speaks to the server, and to its peers. */
const TRANSPORTS = [['udp'], ['tcp', '-t'], ['tls', '-t', '-S']] as const
const WAYS: Readonly<Record<string, readonly string[]>> = {
  'through channels': [],
  'by Send indications': ['-s'],
  'with each other': ['-y'],
  'with each other by Send indications': ['-y', '-s'],
  'with padded channel data': ['-D'],
  'with requests to spare': ['-G'],
  'after asking for IPv4': ['-X'],
  'with each other over IPv6': ['-x', '-y'],
}

t.test(
  'coturn’s client relays without loss',
  { skip: coturnMissing('turnutils_uclient', 'turnutils_peer') },
  async t => {
    const context = await certificate(t)
    const turn = await startTurn(t, {
      listen: [
        { transport: 'udp', address: LOOPBACK, port: 0 },
        { transport: 'tcp', address: LOOPBACK, port: 0 },
        ...(context === null ? [] : [{ transport: 'tls' as const, address: LOOPBACK, port: 0 }]),
      ],
      ...(context === null ? {} : { secure: () => context }),
      limits: { perUser: 1_000, perAddress: 1_000, rejectionsPerSecond: 1_000, bindingsPerSecond: 1_000 },
    })
    background(t, 'turnutils_peer', ['-L', PEER_ADDRESS, '-p', `${PEER_PORT}`])
    const runs = TRANSPORTS.flatMap(([transport, ...flags]) =>
      Object.entries(WAYS).map(([way, more]) => ({
        transport,
        way,
        flags: [...flags, ...more],
      })),
    )
    await Promise.all(
      runs.map(async ({ transport, way, flags }, i) => {
        if (transport === 'tls' && context === null)
          return t.pass(`over TLS ${way}`, { skip: 'openssl not installed' })
        const port = `${portOf(turn, transport)}`
        const credentials = ['-u', `node-${i}`, '-W', SECRET]
        const traffic = [
          '-e',
          PEER_ADDRESS,
          '-r',
          `${PEER_PORT}`,
          '-n',
          `${MESSAGES}`,
          '-m',
          '1',
          '-l',
          '170',
        ]
        const printed = await output('turnutils_uclient', [
          ...flags,
          '-p',
          port,
          ...credentials,
          ...traffic,
          LOOPBACK,
        ])
        t.match(printed, /Total lost packets 0 \(0\.0+%\)/, `over ${transport} ${way}`)
        return undefined
      }),
    )
    t.match(turn.stats().lost, { send_failed: 0, full: 0, no_permission: 0 })
  },
)

t.test(
  'coturn’s client is told honestly that fragmenting cannot be forbidden',
  {
    skip: coturnMissing('turnutils_uclient'),
  },
  async t => {
    const turn = await startTurn(t)
    const args = ['-g', '-p', `${portOf(turn, 'udp')}`, '-u', 'node-1', '-W', SECRET, '-e', PEER_ADDRESS]
    t.match(await output('turnutils_uclient', [...args, LOOPBACK], 2_000), /error 420/)
  },
)

t.test('coturn’s STUN client sees itself', { skip: coturnMissing('turnutils_stunclient') }, async t => {
  const turn = await startTurn(t)
  const printed = await output('turnutils_stunclient', ['-p', `${portOf(turn, 'udp')}`, LOOPBACK], 5_000)
  t.match(printed, /UDP reflexive addr: 127\.0\.0\.1:\d+/)
})

t.test(
  'coturn’s discovery classifies this machine by our second address and port',
  {
    skip: coturnMissing('turnutils_natdiscovery'),
  },
  async t => {
    const first = await startTurn(t)
    // Two free ports, which the two addresses share.
    const [one, two] = [portOf(first, 'udp'), portOf(await startTurn(t), 'udp')]
    await first.stop()
    const turn = await startTurn(t, {
      listen: [
        { transport: 'udp', address: LOOPBACK, port: one },
        { transport: 'udp', address: PEER_ADDRESS, port: one },
        { transport: 'udp', address: LOOPBACK, port: two + 1 },
        { transport: 'udp', address: PEER_ADDRESS, port: two + 1 },
      ],
    })
    const printed = await output('turnutils_natdiscovery', ['-m', '-f', '-p', `${one}`, LOOPBACK], 10_000)
    t.match(printed, /Endpoint Independent Mapping/)
    t.match(printed, /Endpoint Independent Filtering/)
    t.ok(turn.stats().bindings >= 4)
  },
)
