/** The mesh at a glance: who is there, how packets travel and why not better, how the coordinator is. */
import type { Status } from '../../../app/api/status.js'
import type { Health } from '../../../telemetry/health.js'
import { Standings } from '../access/standings.js'
import { DatabasesDown } from '../databases/down.js'
import { useView } from '../live/hooks.js'
import { to } from '../route.js'
import { bitRate, bytes, count, duration, ms, short } from '../ui/format.js'
import { useHistory } from '../ui/history.js'
import { Dot, Empty, Facts, Fault, Heading, Panel, Stat, Tag, type Tone } from '../ui/parts.js'
import { Plot, PlotKey } from '../ui/plot.js'
import { Tier, TierBar } from '../ui/tier.js'
import { reasonWords, TIERS } from '../ui/words.js'

export function Overview() {
  const { value: status, fault } = useView<Status>('/api/v1/status')
  const { value: health } = useView<Health>('/health', 5000)
  const relay = useHistory(status, (now, before, elapsedS) =>
    before === null || elapsedS <= 0 ? null : ((now.relay.bytes - before.relay.bytes) * 8) / elapsedS,
  )
  const sessions = useHistory(
    status,
    now => now.nodes.online,
    now => now.clients.online,
  )
  const loop = useHistory(status, now => now.loopP99Ms)
  if (status === null) return fault === null ? <Waiting /> : <Fault>{fault}</Fault>
  return (
    <>
      <Heading
        title="Overview"
        about={`${status.serverId}, ${status.state} for ${duration(status.uptimeS * 1000)}`}
      />
      {fault !== null && <Fault>{fault}</Fault>}
      <DatabasesDown />
      <Figures status={status} />
      <Standings />
      {status.nodes.total === 0 && status.clients.total === 0 && <FirstSteps />}
      <div class="columns">
        <Panel title="Paths" about="how packets travel now">
          <Tiers paths={status.paths} />
        </Panel>
        <Panel title="Why not direct" about="live paths by reason">
          <Reasons reasons={status.reasons} />
        </Panel>
      </div>
      <div class="columns small">
        <Panel title="Relay" about="bit/s">
          <Plot
            label="Relay throughput"
            lines={[{ label: 'Relay', colour: 'relayed' }]}
            points={relay}
            unit={bitRate}
          />
        </Panel>
        <Panel title="Sessions" about="online" end={<PlotKey lines={SESSIONS} />}>
          <Plot label="Sessions" lines={SESSIONS} points={sessions} unit={count} />
        </Panel>
        <Panel title="Event loop" about="delay p99, ms">
          <Plot
            label="Event loop delay, p99"
            lines={[{ label: 'p99', colour: 'turned' }]}
            points={loop}
            unit={value => `${short(value)} ms`}
          />
        </Panel>
      </div>
      <div class="columns">
        <Panel title="Services">
          <Services status={status} health={health} />
        </Panel>
        <Panel title="Since the start">
          <Facts
            of={[
              ['Routes assigned', count(status.routes.assigned)],
              ['Routes switched', count(status.routes.switched)],
              ['Requests refused', count(status.routes.refused)],
              ['Relayed', `${bytes(status.relay.bytes)} in ${count(status.relay.packets)} packets`],
              ['Packets dropped', count(status.relay.dropped)],
              ['Faults of our own', count(status.faults)],
            ]}
          />
        </Panel>
      </div>
    </>
  )
}

const SESSIONS = [
  { label: 'nodes', colour: 'accent' },
  { label: 'clients', colour: 'direct' },
]

function Figures({ status: { nodes, clients, routes, relay, connections, loopP99Ms } }: { status: Status }) {
  return (
    <dl class="stats">
      <Stat label="Nodes online" about={away(nodes)}>
        <a href={to(['actors'], { kind: 'node' })}>{count(nodes.online)}</a>
      </Stat>
      <Stat label="Clients online" about={away(clients)}>
        <a href={to(['actors'], { kind: 'client' })}>{count(clients.online)}</a>
      </Stat>
      <Stat label="Routes" about={`${count(routes.switched)} switched so far`}>
        <a href={to(['routes'])}>{count(routes.active)}</a>
      </Stat>
      <Stat label="Relay" about={`${count(relay.links)} links, queue p99 ${ms(relay.queueP99Ms)}`}>
        {bitRate(relay.mbps * 1e6)}
      </Stat>
      <Stat label="Connections" about={`${count(connections.greeting)} greeting`}>
        {count(connections.open)}
      </Stat>
      <Stat label="Event loop p99" about="delay">
        {ms(loopP99Ms)}
      </Stat>
    </dl>
  )
}

const away = ({ online, total }: Status['nodes']): string =>
  total === online ? 'all of them' : `${count(total - online)} away`

function Tiers({ paths }: { paths: Status['paths'] }) {
  const counts = TIERS.flatMap(({ tier }) => {
    const number = paths[tier] ?? 0
    return number > 0 ? [[tier, number] as const] : []
  })
  if (counts.length === 0)
    return <Empty title="No paths yet">A path begins when a client asks for a route.</Empty>
  return (
    <>
      <TierBar counts={counts} />
      <div class="legend">
        {counts.map(([tier, number]) => (
          <a key={tier} href={to(['paths'], { tier })}>
            <Tier tier={tier} /> {count(number)}
          </a>
        ))}
      </div>
    </>
  )
}

function Reasons({ reasons }: { reasons: Status['reasons'] }) {
  if (reasons.length === 0)
    return <Empty title="Nothing stands in the way">Every path there is travels directly.</Empty>
  return (
    <div class="bars">
      {reasons.map(({ tier, reason, count: number }) => [
        <a key={`${tier} ${reason}`} href={to(['paths'], { tier, reason })}>
          <Tier tier={tier} />: {reasonWords(reason)}
        </a>,
        <span key={`${tier} ${reason} =`}>{count(number)}</span>,
      ])}
    </div>
  )
}

function Services({ status, health }: { status: Status; health: Health | null }) {
  const { store, turn } = status
  const redis = health?.services.redis
  return (
    <Facts
      of={[
        [
          'Database',
          <>
            <Service status={store.status} /> {store.kind}, {ms(store.latencyMs)}
          </>,
        ],
        ['Snapshot', `${store.snapshot}, ${count(store.dirty)} changes to write`],
        ['Redis', redis === undefined ? null : <Service status={redis.status} latencyMs={redis.latency} />],
        [
          'STUN and TURN',
          turn === null ? (
            'off'
          ) : (
            <>
              <Tag tone={turn.state === 'up' ? 'good' : 'warn'}>{turn.state}</Tag> {turn.mode},{' '}
              {count(turn.allocations)} allocations
            </>
          ),
        ],
      ]}
    />
  )
}

const SERVICE_TONES: Readonly<Record<string, Tone>> = { healthy: 'good', unhealthy: 'bad', disabled: 'plain' }

const Service = ({ status, latencyMs }: { status: string; latencyMs?: number | null }) => (
  <>
    <Dot tone={SERVICE_TONES[status] ?? 'warn'} label={status} /> {status}
    {typeof latencyMs === 'number' && `, ${ms(latencyMs)}`}
  </>
)

const FirstSteps = () => (
  <section class="panel">
    <Empty title="Nobody is here yet">
      Make an enrolment key with <code>boson enrol</code>, then start a node with <code>boson node</code> on a
      machine that has WireGuard. It appears here as soon as it has registered.
    </Empty>
  </section>
)

/** As large as what comes, so that nothing jumps. */
const Waiting = () => (
  <>
    <Heading title="Overview" />
    <div class="stats" aria-busy="true">
      {['Nodes online', 'Clients online', 'Routes', 'Relay', 'Connections', 'Event loop p99'].map(label => (
        <Stat key={label} label={label}>
          <span class="skeleton" />
        </Stat>
      ))}
    </div>
  </>
)
