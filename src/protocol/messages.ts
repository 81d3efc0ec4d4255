/**
 * Every message of the wire, once. From here come the codes, the types, the layouts, the validators and
 * README.md. Fields are positional: append, make optional, never move. A retired code stays reserved.
 */
import {
  bool,
  bytes,
  blob,
  candidate,
  country,
  endpoint,
  f64,
  f64plus,
  id,
  listOf,
  message,
  oneOf,
  optional,
  prose,
  str,
  tuple,
  u32,
  u53,
  type WireEvent,
} from './schema.js'
import { LINKS_PER_SESSION_MAX, RELAY_PAYLOAD_MAX } from './relay-frame.js'

const cidrs = listOf(str(64), 32)
const candidates = listOf(candidate, 16)
const policy = oneOf('auto', 'relay-only', 'direct-only')
const iceServers = optional(listOf(tuple(str(256), optional(str(128)), optional(str(128))), 16)).doc(
  'STUN and TURN servers: URI (RFC 7064, RFC 7065), and for TURN username and password. Replaces what was given before.',
)

// ── 0x01–0x0f session ────────────────────────────────────────────────────────────────────────────

export const Welcome = message(0x01, 'welcome', {
  direction: 'server→agent',
  doc: 'The coordinator speaks first: what a proof of key possession is made over.',
  fields: {
    serverId: id.doc('Id of this coordinator; part of the proof.'),
    challenge: bytes(32).doc('Ephemeral X25519 public key of the coordinator.'),
    nonce: bytes(32).doc('Random, for this connection and one proof only.'),
    timeMs: u53.doc('The coordinator’s clock, ms since 1970 UTC. Information; no timer depends on it.'),
  },
})

export const Register = message(0x02, 'register', {
  direction: 'agent→server',
  doc: 'Begins a session, or takes over the one this identity has.',
  fields: {
    role: oneOf('node', 'client').doc('What the agent is.'),
    id: id.doc('Name of the identity; bound to its key at first contact.'),
    publicKey: bytes(32).doc('WireGuard public key.'),
    proof: bytes(32).doc('Proof that the agent holds the private key; see “Proof of key possession”.'),
    credential: optional(str(256)).doc('Enrolment key; needed at first contact only.'),
    agent: str(64).doc('Software and version, for people.'),
    country: optional(country).doc('Where the agent is.'),
    region: optional(str(64)).doc('Operator’s region, such as `eu-central`.'),
    latitude: optional(f64).doc('Degrees, north positive.'),
    longitude: optional(f64).doc('Degrees, east positive.'),
    maxSessions: optional(u32).doc('Node: clients it will carry at once.'),
    bandwidthMbps: optional(f64plus).doc('Node: what its uplink can carry, Mbit/s.'),
    exit: optional(bool).doc('Node: true when it forwards to the internet.'),
    tags: optional(listOf(id, 16)).doc('Free labels.'),
    policy: optional(policy).doc('Which ways its packets may travel; absent: `auto`.'),
    can: optional(listOf(oneOf('probe', 'udp', 'wireguard', 'ice'), 8)).doc(
      'What it can do about leaving the relay: answer `probe.plan`; carry links by its own UDP socket, by WireGuard’s, by ICE.',
    ),
    costWeight: optional(f64plus).doc('Node: how dear it is to use it; 1 is usual, 2 twice as dear.'),
  },
})

export const Registered = message(0x03, 'registered', {
  direction: 'server→agent',
  doc: 'The session stands. `path.open` follows for every link that is already there.',
  fields: {
    sessionId: str(64).doc('Names the session in logs and at the operator’s.'),
    generation: u32.doc('Counts the sessions of this identity; nothing from an older one counts.'),
    ticket: bytes(32).doc('For one `resume`. A secret.'),
    overlay4: str(18).doc('The identity’s IPv4 address in the mesh with prefix length, e.g. `10.77.0.2/32`.'),
    overlay6: str(43).doc('The identity’s IPv6 address in the mesh with prefix length.'),
    beatEveryMs: u32.doc('Send a `heartbeat` this often, ms.'),
    silenceMs: u32.doc('Either side closes after this long without a complete valid message, ms.'),
    resumeWindowMs: u32.doc('How long a lost session can be resumed, ms.'),
    relayMtu: u32.doc('The largest payload of `relay.data`, bytes.'),
    links: listOf(u32, LINKS_PER_SESSION_MAX).doc(
      'Links that are open. The agent closes any other that it holds.',
    ),
    iceServers,
  },
})

export const Resume = message(0x04, 'resume', {
  direction: 'agent→server',
  doc: 'Instead of `register`: re-attaches a session whose socket was lost.',
  fields: {
    ticket: bytes(32).doc('From the last `registered`, `resumed` or `renewed`.'),
  },
})

export const Resumed = message(0x05, 'resumed', {
  direction: 'server→agent',
  doc: 'The session goes on with its routes and links. `path.open` follows for every link.',
  fields: {
    sessionId: str(64).doc('As before.'),
    generation: u32.doc('One more than before.'),
    ticket: bytes(32).doc('For the next `resume`; the old one is used up.'),
    links: listOf(u32, LINKS_PER_SESSION_MAX).doc(
      'Links that are open. The agent closes any other that it holds.',
    ),
    iceServers,
  },
})

export const Refused = message(0x06, 'refused', {
  direction: 'server→agent',
  doc: 'Answers `register` or `resume`, or ends a session that was let in before; the socket closes after it.',
  fields: {
    code: oneOf(
      'proof_failed',
      'key_mismatch',
      'not_authorised',
      'revoked',
      'role_mismatch',
      'key_in_use',
      'ticket_unknown',
      'overloaded',
      'store_unavailable',
      'draining',
      'addresses_exhausted',
      'kept_away',
      'not_entitled',
      'quota_used',
      'inactive',
    ).doc('For programs.'),
    reason: str(256).doc('For people.'),
    retryAfterMs: optional(u32).doc('Come back after this long, ms. Absent: as the close code says.'),
  },
})

export const Renew = message(0x07, 'renew', {
  direction: 'agent→server',
  doc: 'Asks for a fresh ticket within the session; the old one stays good until then.',
  fields: {},
})

export const Renewed = message(0x08, 'renewed', {
  direction: 'server→agent',
  doc: 'Answers `renew`.',
  fields: { ticket: bytes(32).doc('Replaces the one the agent holds.'), iceServers },
})

export const Restarting = message(0x09, 'restarting', {
  direction: 'server→agent',
  doc: 'The coordinator stops soon. Keep everything, come back in your own slot, resume.',
  fields: {
    reconnectInMs: u32.doc('This agent’s slot: dial again after this long, ms.'),
    tryForMs: u32.doc('Keep trying for this long before counting the session lost, ms.'),
  },
})

export const Replaced = message(0x0a, 'replaced', {
  direction: 'server→agent',
  doc: 'A newer proven session of this identity took over; a final close follows.',
  fields: { generation: u32.doc('The generation that took over.') },
})

export const Goodbye = message(0x0b, 'goodbye', {
  direction: 'either',
  doc: 'The sender ends the session now: no window, links and routes are released.',
  fields: { reason: str(128).doc('For people.') },
})

export const ErrorReply = message(0x0c, 'error', {
  direction: 'either',
  doc: 'The other side’s message was not understood. Never answered.',
  fields: {
    code: oneOf('malformed', 'unknown_message', 'bad_field', 'not_now', 'too_many').doc('For programs.'),
    reason: str(256).doc('What was wanted, for people.'),
    about: optional(u32).doc('Code of the message in question.'),
  },
})

// ── 0x10–0x1f vitals ─────────────────────────────────────────────────────────────────────────────

export const Heartbeat = message(0x10, 'heartbeat', {
  direction: 'agent→server',
  doc: 'Alive, and how it is doing. Travels the heartbeat lane. What the agent cannot measure is nil.',
  fields: {
    seq: u32.doc('Counts up from 1 in each connection; echoed in the acknowledgement.'),
    echoStamp: optional(u32).doc(
      '`stamp` of the last `heartbeat.ack`; gives the coordinator its round trip.',
    ),
    echoHeldMs: optional(f64plus).doc(
      'How long ago that acknowledgement arrived, ms (RFC 3550 §6.4.1, DLSR).',
    ),
    activeSessions: optional(u32).doc('Links with traffic in the last interval.'),
    serverId: id.doc('The agent’s own id (seed field `server_id`).'),
    generatedAt: u53.doc('When the figures were read, ms since 1970 UTC.'),
    readyAt: u53.doc('When the agent became ready, ms since 1970 UTC.'),
    iface: optional(str(16)).doc('Interface that the traffic figures are of.'),
    pingTarget: optional(str(64)).doc('Whom the latency figures are to.'),
    uptimeS: optional(f64plus).doc('Uptime of the machine, s.'),
    load1: optional(str(16)).doc('One-minute load average, as the system prints it.'),
    memTotalMb: optional(f64plus).doc('Memory, MiB.'),
    memFreeMb: optional(f64plus).doc('Memory available, MiB.'),
    cpuTotalPct: optional(f64plus).doc('CPU busy, %.'),
    softirqPct: optional(f64plus).doc('CPU in soft interrupts, %.'),
    bwRxMbps: optional(f64plus).doc('Received, Mbit/s.'),
    bwTxMbps: optional(f64plus).doc('Sent, Mbit/s.'),
    bwTotalMbps: optional(f64plus).doc('Both, Mbit/s.'),
    ppsRx: optional(f64plus).doc('Received, packets/s.'),
    ppsTx: optional(f64plus).doc('Sent, packets/s.'),
    ppsTotal: optional(f64plus).doc('Both, packets/s.'),
    connEstRateS: optional(f64plus).doc('TCP connections opened, 1/s.'),
    activeConns: optional(f64plus).doc('Tracked connections.'),
    conntrackUsagePct: optional(f64plus).doc('Connection-tracking table in use, %.'),
    rxDropped: optional(f64plus).doc('Packets dropped on receipt since start.'),
    txDropped: optional(f64plus).doc('Packets dropped on sending since start.'),
    latencyP50Ms: optional(f64plus).doc('Median round trip to `pingTarget`, ms.'),
    latencyP95Ms: optional(f64plus).doc('95th percentile, ms.'),
    packetLossPct: optional(f64plus).doc('Probes lost, %.'),
    jitterMs: optional(f64plus).doc('How much the round trip to `pingTarget` varies, ms.'),
    memUsedPct: optional(f64plus).doc('Memory in use, %: of an agent that does not know how much there is.'),
  },
})

export const HeartbeatAck = message(0x11, 'heartbeat.ack', {
  direction: 'server→agent',
  doc: 'Answers each heartbeat.',
  fields: {
    seq: u32.doc('From the heartbeat.'),
    stamp: u32.doc(
      'A reading of the coordinator’s clock that only the coordinator understands; echo it in the next heartbeat.',
    ),
  },
})

const NAT_BEHAVIOUR = [
  'endpoint_independent',
  'address_dependent',
  'address_and_port_dependent',
  'unknown',
  'port_independent',
] as const

export const ProbePlan = message(0x12, 'probe.plan', {
  direction: 'server→agent',
  doc: 'Find out what the NAT in front of you does, with Binding requests from the UDP socket that packets travel on.',
  fields: {
    planId: u32.doc('Echoed in the report.'),
    servers: listOf(str(256), 8).doc(
      'STUN URIs (RFC 7064). The first is asked first; the next ones are other ports or addresses of it, or another IP version.',
    ),
    transactionIds: listOf(bytes(12), 32).doc(
      'Transaction ids for the requests, so that what arrives can be told. More requests take random ones.',
    ),
    lifetimeS: optional(u32).doc(
      'Also find out how long an idle mapping lives, up to this, s. The last four ids are for this: with each, a socket of its own asks the first server once and then only listens. After 15, 30, 60 and 120 s the server sends a Binding indication with that id; what arrives was let in by a mapping that was still there. Reported later, beside the rest.',
    ),
  },
})

export const ProbeReport = message(0x13, 'probe.report', {
  direction: 'agent→server',
  doc: 'Answers `probe.plan`. What was not tried is not in it; what was tried without an answer says so.',
  fields: {
    planId: u32.doc('From the plan.'),
    tests: listOf(
      tuple(
        oneOf(
          'mapping',
          'mapping_other_port',
          'mapping_other_address',
          'filtering_other_address',
          'filtering_other_port',
          'hairpin',
          'lifetime',
        ),
        bytes(12),
        optional(endpoint),
        optional(f64plus),
      ),
      32,
    ).doc(
      'Test (RFC 5780 §4.3–4.6), transaction id, and what came back: the mapped address, or nil when nothing did; and the round trip, ms (of `lifetime`: the idle time, s).',
    ),
    local: listOf(endpoint, 16).doc('Where the socket is bound: one for each address of the machine.'),
  },
})

export const NatClassified = message(0x14, 'nat.classified', {
  direction: 'server→agent',
  doc: 'What the coordinator made of the reports and of what it saw itself (RFC 4787 terms). `port_independent`: the port does not count; whether the address does could not be told with a single server address.',
  fields: {
    planId: u32.doc('From the plan.'),
    udp: oneOf('open', 'blocked', 'unknown').doc('Whether UDP leaves and comes back.'),
    mapping: oneOf(...NAT_BEHAVIOUR).doc('Mapping behaviour.'),
    filtering: oneOf(...NAT_BEHAVIOUR).doc('Filtering behaviour.'),
    nat: optional(bool).doc('Whether addresses are translated at all.'),
    hairpin: optional(bool).doc('Whether the NAT brings back what is sent to its own outside.'),
    portPreservation: optional(bool).doc('Whether the mapped port is the local one.'),
    mappingLifetimeS: optional(u32).doc('An idle mapping lived at least this long, s.'),
    mapped4: optional(endpoint).doc('The IPv4 endpoint that the world sees.'),
    mapped6: optional(endpoint).doc('The IPv6 endpoint that the world sees.'),
    confirmed: bool.doc('Whether the coordinator saw the same requests itself.'),
  },
})

// ── 0x20–0x2f routes ─────────────────────────────────────────────────────────────────────────────

/** What the cost of a route is made of; `mesh/cost.ts` says how. */
export const COST_TERMS = ['load', 'rtt', 'loss', 'reported', 'price', 'distance', 'flaps', 'tier'] as const

export const RouteRequest = message(0x20, 'route.request', {
  direction: 'client→server',
  doc: 'Asks for a node. Every requirement given is hard: it is met or the request is refused. `prefer`, `avoid` and `weights` are soft.',
  fields: {
    requestId: u32.doc('Echoed in the answer.'),
    target: optional(id).doc('This node and no other.'),
    country: optional(country).doc('The node is in this country.'),
    region: optional(str(64)).doc('The node is in this region.'),
    minBandwidthMbps: optional(f64plus).doc('The node has at least this much left, Mbit/s.'),
    maxLatencyMs: optional(f64plus).doc(
      'The node’s round trip is at most this, ms: to the coordinator, or where it is not measured, as the node says.',
    ),
    exit: optional(bool).doc('True: the node forwards to the internet.'),
    exclude: optional(listOf(id, 32)).doc('Nodes already tried.'),
    tags: optional(listOf(id, 16)).doc('The node has all of these tags.'),
    group: optional(id).doc('The node is in this group of the operator’s.'),
    prefer: optional(listOf(id, 16)).doc('One of these nodes, if any of them qualifies.'),
    avoid: optional(listOf(id, 32)).doc('One of these nodes only when no other qualifies.'),
    weights: optional(listOf(tuple(oneOf(...COST_TERMS), f64plus), COST_TERMS.length)).doc(
      'How much a term of the cost counts for this request; 1 is usual, 0 not at all.',
    ),
  },
})

const routeFields = {
  routeId: str(64).doc('Names the route.'),
  link: u32.doc('Link id of the relay lane. Its `path.open` comes just before or after.'),
  nodeId: id.doc('The chosen node.'),
  nodeKey: bytes(32).doc('Its WireGuard public key.'),
  nodeOverlay4: str(18).doc('Its IPv4 address in the mesh, with prefix length.'),
  nodeOverlay6: str(43).doc('Its IPv6 address in the mesh, with prefix length.'),
  allowedIps: cidrs.doc('What the client’s WireGuard peer entry allows.'),
  country: optional(country).doc('Where the node is.'),
  region: optional(str(64)).doc('Where the node is.'),
  exit: bool.doc('Whether it forwards to the internet.'),
  alternatives: listOf(id, 8).doc('Who would be next, best first.'),
  why: str(256).doc('The decision in words.'),
}

export const RouteAssigned = message(0x21, 'route.assigned', {
  direction: 'server→client',
  doc: 'Answers `route.request`: a node was chosen and its capacity is reserved. Also repeats the standing route after `registered` and `resumed`, with `requestId` 0.',
  fields: { requestId: u32.doc('From `route.request`, or 0.'), ...routeFields },
})

export const RouteRefused = message(0x22, 'route.refused', {
  direction: 'server→client',
  doc: 'Answers `route.request`, or with `requestId` 0 takes back a route whose node is gone without a successor.',
  fields: {
    requestId: u32.doc('From `route.request`, or 0.'),
    code: oneOf('no_candidate', 'unknown_target', 'not_authorised', 'too_many_requests', 'draining').doc(
      'For programs.',
    ),
    reason: str(256).doc('For people.'),
    unmet: listOf(str(128), 16).doc('Each requirement that excluded nodes, with how many.'),
    retryAfterMs: optional(u32).doc('Ask again after this long, ms.'),
  },
})

export const SWITCH_CAUSES = [
  'node_lost',
  'node_left',
  'node_lapsed',
  'node_drained',
  'operator',
  'node_degraded',
  'capacity_cut',
  'better',
] as const

export const RouteSwitched = message(0x23, 'route.switched', {
  direction: 'server→client',
  doc: 'The route moves to another node without being asked.',
  fields: {
    ...routeFields,
    cause: oneOf(...SWITCH_CAUSES).doc('Why the old node was left.'),
    previousLink: u32.doc(
      'The link that this one replaces. While the old node still lives it stays open until this one carries.',
    ),
  },
})

export const RouteRelease = message(0x24, 'route.release', {
  direction: 'client→server',
  doc: 'The client needs the route no more.',
  fields: { routeId: str(64).doc('From `route.assigned` or `route.switched`.') },
})

export const DrainRequest = message(0x25, 'drain.request', {
  direction: 'node→server',
  doc: 'The node is about to go: give it no new routes and move those it has. Answered by `drain.state`. Said again after `registered` and `resumed`, as long as it holds.',
  fields: {
    withinMs: optional(u32).doc(
      'Routes that are still there then are ended, ms. Absent: it waits until none is left.',
    ),
    cancel: optional(bool).doc('True: the node stays after all. A drain of the operator’s goes on.'),
    reason: str(128).doc('For people.'),
  },
})

export const DrainState = message(0x26, 'drain.state', {
  direction: 'server→agent',
  doc: 'How far the drain of this node is. Sent at its start, as it goes on, and at its end.',
  fields: {
    state: oneOf('draining', 'empty', 'expired', 'cancelled').doc(
      '`empty`: no link is left; `expired`: time is up; `cancelled`: routes come again.',
    ),
    by: oneOf('node', 'operator').doc('Who asked for it.'),
    left: u32.doc(
      'Links that the node still carries, those of moved routes until the new ones carry too; with `expired`: routes that were ended.',
    ),
    moved: u32.doc('Routes that were moved to other nodes so far.'),
    remainingMs: optional(u32).doc('Until the remaining routes are ended, ms.'),
  },
})

// ── 0x30–0x3f paths ──────────────────────────────────────────────────────────────────────────────

export const PathOpen = message(0x30, 'path.open', {
  direction: 'server→agent',
  doc: 'Open this link: all that a WireGuard peer entry needs. Idempotent: it comes again after a resume and with another policy, and is answered each time.',
  fields: {
    link: u32.doc('Link id of the relay lane.'),
    routeId: str(64).doc('The route this path serves.'),
    peerId: id.doc('Who is at the other end.'),
    peerKey: bytes(32).doc('Its WireGuard public key.'),
    peerOverlay4: str(18).doc('Its IPv4 address in the mesh.'),
    peerOverlay6: str(43).doc('Its IPv6 address in the mesh.'),
    allowedIps: cidrs.doc('What the WireGuard peer entry allows.'),
    keepaliveS: u32.doc('Persistent keepalive of the peer entry, s; 0 is off.'),
    policy: optional(policy).doc(
      'Which ways this path may take; with `relay-only` the agent shows no address of its own.',
    ),
  },
})

export const PathReady = message(0x31, 'path.ready', {
  direction: 'agent→server',
  doc: 'This end is set up; the relay carries when both ends have said so.',
  fields: {
    link: u32.doc('From `path.open`.'),
    ownPort: optional(u32).doc(
      'UDP port of WireGuard’s own socket at this end: at an address of the machine’s own it is reached there.',
    ),
  },
})

export const PathPunch = message(0x32, 'path.punch', {
  direction: 'server→agent',
  doc: 'Both ends try to leave the relay at the same moment. Packets go on as before until a way is proved.',
  fields: {
    link: u32.doc('From `path.open`.'),
    attempt: u32.doc('Counts the attempts of this link; echoed in `path.attempt`.'),
    via: oneOf('udp', 'wireguard', 'ice').doc('By which socket.'),
    controlling: bool.doc('Whether this end chooses among the pairs that work (RFC 8445 §6.1.1).'),
    key: bytes(32).doc('Both ends’ key for the checks of this attempt. A secret.'),
    startInMs: u32.doc(
      'Begin this long after this message arrived, ms: the other end’s delay is allowed for.',
    ),
    tryForMs: u32.doc('Give up after this long, ms.'),
    candidates: candidates.doc('Where the peer may be reached.'),
  },
})

export const PathSignal = message(0x33, 'path.signal', {
  direction: 'either',
  doc: 'Where an end of the path may be reached. The coordinator keeps the newest of each end and hands it to the other.',
  fields: {
    link: u32.doc('From `path.open`.'),
    revision: u32.doc('Counts up; a newer one takes back everything that an older one said.'),
    candidates: candidates.doc('Types as in RFC 8445; the network has changed when others are gone.'),
    ice: optional(blob(16_384)).doc('ICE: a session description (RFC 8839) with its candidates, UTF-8.'),
  },
})

export const PathReport = message(0x34, 'path.report', {
  direction: 'agent→server',
  doc: 'How a path is doing, as its end sees it; every few heartbeats while it is open.',
  fields: {
    link: u32.doc('From `path.open`.'),
    rttMs: optional(f64plus).doc('Round trip to the peer, ms.'),
    sentBytes: u53.doc('Payload sent on this link since it was opened, bytes.'),
    receivedBytes: u53.doc('Payload received, bytes.'),
    lastReceivedMs: optional(f64plus).doc('How long ago the last packet arrived, ms.'),
    turnedSentBytes: optional(u53).doc('Of `sentBytes`: by way of a TURN server, bytes.'),
    turnedReceivedBytes: optional(u53).doc('Of `receivedBytes`: by way of a TURN server, bytes.'),
    directSentBytes: optional(u53).doc('Of `sentBytes`: directly, bytes.'),
    directReceivedBytes: optional(u53).doc('Of `receivedBytes`: directly, bytes.'),
    lossPct: optional(f64plus).doc('Checks of the path without an answer, %.'),
  },
})

export const PathSettled = message(0x35, 'path.settled', {
  direction: 'server→agent',
  doc: 'The path carries on this tier from now on.',
  fields: {
    link: u32.doc('From `path.open`.'),
    tier: oneOf('relayed', 'turned', 'direct', 'waiting').doc(
      'How packets travel; `waiting`: not until there is a direct way, for the policy forbids the relay.',
    ),
    via: optional(oneOf('websocket', 'udp', 'wireguard', 'ice')).doc('By which socket.'),
    reason: optional(str(64)).doc('Why not directly: a reason code of the ledger.'),
  },
})

export const PathClosed = message(0x36, 'path.closed', {
  direction: 'either',
  doc: 'The link is gone: remove the WireGuard peer. From an agent: it cannot serve the link.',
  fields: {
    link: u32.doc('From `path.open`.'),
    reason: str(128).doc('For people.'),
  },
})

export const PathAttempt = message(0x37, 'path.attempt', {
  direction: 'agent→server',
  doc: 'How an attempt to leave the relay went at this end; or, with outcome `lost`, that what it had won is gone.',
  fields: {
    link: u32.doc('From `path.open`.'),
    attempt: u32.doc('From `path.punch`.'),
    via: oneOf('udp', 'wireguard', 'ice').doc('By which socket.'),
    outcome: oneOf('direct', 'turned', 'failed', 'lost').doc('What this end sends on from now on.'),
    local: optional(candidate).doc('The chosen pair: this end.'),
    remote: optional(candidate).doc('The chosen pair: the other end, as this end sends to it.'),
    rttMs: optional(f64plus).doc('Round trip of the chosen pair, ms.'),
    cause: optional(
      oneOf('no_candidates', 'no_answer', 'silent', 'network_changed', 'slower', 'no_socket'),
    ).doc('Of `failed` and `lost`: why.'),
    tried: listOf(str(160), 16).doc('Each pair that was tried and what became of it, for people.'),
  },
})

export const PathReveal = message(0x38, 'path.reveal', {
  direction: 'server→agent',
  doc: 'Let WireGuard’s own socket show its address: add this peer without allowed IPs, so that a handshake initiation leaves; take it out again when `path.punch` by `wireguard` comes, or after a while.',
  fields: {
    link: u32.doc('From `path.open`.'),
    publicKey: bytes(32).doc('WireGuard public key of the coordinator’s ear.'),
    endpoint: str(256).doc('Where it listens, `host:port`.'),
    withinMs: u32.doc('Take the peer out after this long, ms.'),
  },
})

// ── 0x40–0x4f relay ──────────────────────────────────────────────────────────────────────────────

export const RelayData = message(0x40, 'relay.data', {
  direction: 'either',
  doc: 'One packet for the other end of the link. Travels the relay lane and is forwarded as it is.',
  fields: {
    link: u32.doc('From `path.open`; at least 0x10000.'),
    payload: blob(RELAY_PAYLOAD_MAX).doc('The packet.'),
  },
})

export const RelayGone = message(0x41, 'relay.gone', {
  direction: 'server→agent',
  doc: 'Packets on this link are being dropped. At most one a second for a link.',
  fields: {
    link: u32.doc('The link the packets named.'),
    reason: oneOf('no_such_link', 'peer_away', 'not_wireguard').doc('Why.'),
  },
})

export const RelayPressure = message(0x42, 'relay.pressure', {
  direction: 'server→agent',
  doc: 'The other end reads too slowly, or this end sends above its rate; the oldest packets are dropped. At most one a second for a link.',
  fields: {
    link: u32.doc('The link.'),
    dropped: u32.doc('Packets dropped on this link since the last such message.'),
    queueMs: f64plus.doc('How long packets waited at worst, ms.'),
  },
})

// ── 0x50–0x5f jobs ───────────────────────────────────────────────────────────────────────────────

/** What goes with a job, and what comes of it, as JSON, bytes. */
export const JOB_JSON_MAX = 16_384
/** Kinds of jobs that one node may do. */
export const JOB_KINDS_MAX = 32

export const JobOffer = message(0x50, 'job.offer', {
  direction: 'server→agent',
  doc: 'Something that the node is to do. It is told again, after each `job.ready` and now and then, until `job.done` says how it ended or its time is over.',
  fields: {
    jobId: u53.doc('The job.'),
    orderedAtMs: u53.doc(
      'When it was ordered, ms since 1970 UTC. With `jobId` it names the job for ever: what was done is not done again.',
    ),
    kind: id.doc('What is to be done, such as `restart`.'),
    withinMs: u53.doc('How long it is wanted still, ms.'),
    payload: optional(blob(JOB_JSON_MAX)).doc('What goes with it: JSON in UTF-8.'),
  },
})

export const JobProgress = message(0x51, 'job.progress', {
  direction: 'node→server',
  doc: 'Answers each `job.offer` of a job that is not over: the node has it, and remembers it. Again whenever there is something to tell.',
  fields: {
    jobId: u53.doc('As in the offer.'),
    step: optional(str(256)).doc('How far it is, for people.'),
  },
})

export const JobDone = message(0x52, 'job.done', {
  direction: 'node→server',
  doc: 'Says how a job ended; answers each later `job.offer` of it.',
  fields: {
    jobId: u53.doc('As in the offer.'),
    outcome: oneOf('done', 'failed').doc('How it ended.'),
    result: optional(blob(JOB_JSON_MAX)).doc(
      'What came of it: JSON in UTF-8. Of `failed`: an object with `reason`.',
    ),
  },
})

export const JobReady = message(0x53, 'job.ready', {
  direction: 'node→server',
  doc: 'Said once after each `registered` and `resumed` by a node that does jobs. Without it, none is offered.',
  fields: { kinds: listOf(id, JOB_KINDS_MAX).doc('The kinds of jobs that it does.') },
})

// ── 0x60–0x6f reports ────────────────────────────────────────────────────────────────────────────

/** Records of one kind in one batch. */
export const REPORT_RECORDS_MAX = 100

export const ReportBatch = message(0x60, 'report.batch', {
  direction: 'agent→server',
  doc: 'What the agent saw of its own users. A batch that was numbered never changes; it is sent again until it is acknowledged, and counts once.',
  fields: {
    stream: id.doc('Names the agent’s spool; a new one when the spool was lost.'),
    seq: u53.doc('Grows by one with each batch of the stream; batches are acknowledged in this order.'),
    clients: listOf(
      tuple(u53, str(45), optional(str(512)), optional(str(64)), optional(str(128)), optional(country)),
      REPORT_RECORDS_MAX,
    ).doc(
      'Users seen: when (ms since 1970 UTC), IP address, user agent, name of the country, city, ISO 3166-1 code.',
    ),
    traffic: listOf(
      tuple(u53, u53, oneOf('proxy', 'domain'), id, u53, u53, u53, f64plus, u53),
      REPORT_RECORDS_MAX,
    ).doc(
      'Traffic of a resource: from and until (ms since 1970 UTC), its type and id, bytes in, bytes out, requests, mean response time (ms), errors.',
    ),
    logs: listOf(
      tuple(
        u53,
        oneOf('info', 'warning', 'error'),
        prose(1_024),
        optional(prose(4_096)),
        optional(prose(4_096)),
      ),
      REPORT_RECORDS_MAX,
    ).doc('Log lines: when (ms since 1970 UTC), level, message, details, metadata as JSON.'),
    dropped: u53.doc('Records of this stream that the agent had no room for, in all.'),
  },
})

export const ReportAck = message(0x61, 'report.ack', {
  direction: 'server→agent',
  doc: 'Answers each `report.batch`.',
  fields: {
    stream: id.doc('As in the batch.'),
    seq: u53.doc('As in the batch.'),
    outcome: oneOf('stored', 'later', 'refused').doc(
      '`stored`: it is durable and was counted once, now or before. `later`: send it again. `refused`: it never will be.',
    ),
    reason: optional(str(256)).doc('For people.'),
    retryAfterMs: optional(u32).doc('Of `later`: wait so long, ms.'),
  },
})

export const ALL = [
  Welcome,
  Register,
  Registered,
  Resume,
  Resumed,
  Refused,
  Renew,
  Renewed,
  Restarting,
  Replaced,
  Goodbye,
  ErrorReply,
  Heartbeat,
  HeartbeatAck,
  ProbePlan,
  ProbeReport,
  NatClassified,
  RouteRequest,
  RouteAssigned,
  RouteRefused,
  RouteSwitched,
  RouteRelease,
  DrainRequest,
  DrainState,
  PathOpen,
  PathReady,
  PathPunch,
  PathSignal,
  PathReport,
  PathSettled,
  PathClosed,
  PathAttempt,
  PathReveal,
  RelayData,
  RelayGone,
  RelayPressure,
  JobOffer,
  JobProgress,
  JobDone,
  JobReady,
  ReportBatch,
  ReportAck,
] as const

/** The ranges of codes, by room. */
export const RANGES: readonly { readonly from: number; readonly to: number; readonly room: string }[] = [
  { from: 0x01, to: 0x0f, room: 'session' },
  { from: 0x10, to: 0x1f, room: 'vitals' },
  { from: 0x20, to: 0x2f, room: 'routes' },
  { from: 0x30, to: 0x3f, room: 'paths' },
  { from: 0x40, to: 0x4f, room: 'relay' },
  { from: 0x50, to: 0x5f, room: 'jobs' },
  { from: 0x60, to: 0x6f, room: 'reports' },
  { from: 0x70, to: 0x7f, room: 'operator' },
]

export type Wire = WireEvent<(typeof ALL)[number]>
export type WireOf<N extends Wire['type']> = Extract<Wire, { readonly type: N }>
