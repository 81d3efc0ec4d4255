/**
 * Makes README.md: the wire, complete enough to write an agent in another language without reading code.
 * Whatever is a number, a table or a byte comes from the definitions; a test holds that the page is current.
 */
import {
  AGENTS,
  closeTable,
  code,
  hexBlock,
  messageIndex,
  messageSections,
  operatorCloseTable,
  OPERATORS,
  rangeTable,
  refusalTable,
} from './docs-tables.js'
import { encode } from './codec.js'
import { JOB_JSON_MAX, Register, RelayData } from './messages.js'
import { FIRST_LINK, RELAY_PAYLOAD_MAX } from './relay-frame.js'
import {
  OPERATOR_ANSWER_MAX,
  OPERATOR_BOUNDS,
  OPERATOR_HELLO_MAX,
  OPERATOR_HELLO_MS,
  OPERATOR_MESSAGE_MAX,
  OPERATOR_PATH,
  OPERATOR_SUBPROTOCOL,
} from './operator.js'
import { MAX_DEPTH, MAX_ITEMS } from './scan.js'
import { GREETING_MESSAGE_MAX, MESH_PATH, MESSAGE_MAX, SUBPROTOCOL, TIMING } from './timing.js'
import { VALUE_DEPTH_MAX } from './value.js'
import { WORKED } from './worked-proof.js'

const seconds = (ms: number): string => `${ms / 1_000} s`
const fence = (text: string): string => `\`\`\`\n${text}\n\`\`\``

/** Returns the whole page. */
export const protocolPage = (): string =>
  [
    opening,
    framing(),
    values(),
    handshake(),
    proof(),
    workedProof(),
    afterwards(),
    liveness(),
    comingBack(),
    routes(),
    relay(),
    jobs,
    faults,
    `## Close codes

An application's close code says whether to return. ${'`'}4000${'`'}–${'`'}4499${'`'}: come back by yourself, with back-off.
${'`'}4500${'`'}–${'`'}4999${'`'}: final for this identity; stay away until a person acts. Any other code means: come back, with
back-off. That holds for 1006 above all, which is what a client reports when no close frame arrived.

${closeTable()}`,
    `## Messages

${messageIndex(AGENTS)}

${rangeTable()}

A code that is retired stays reserved for ever.`,
    messageSections(AGENTS),
    minimum,
    operators(),
  ].join('\n\n') + '\n'

const opening = `<!-- Made by \`npm run docs\` from src/protocol; do not edit. -->

# The wire, \`boson.v1\`

What agents (nodes and clients) and the coordinator say to each other. This page is enough to write an
agent in any language. One WebSocket carries everything: sessions, heartbeats, routes, and, as long as
two agents have no better path, their WireGuard packets.

\`\`\`
 client ══ WebSocket ══╗                 ╔══ WebSocket ══ node
   │                   ╠══ coordinator ══╣                 │
 WireGuard             ╚═ relays packets ╝             WireGuard
   └───────── the same encrypted packets, end to end ──────┘
\`\`\`

The coordinator never holds a WireGuard private key and cannot read what it relays.

Where to start in the code: [messages.ts](messages.ts) has every message once; [schema.ts](schema.ts) is the
small language they are written in; [codec.ts](codec.ts) turns values into events and back, after
[scan.ts](scan.ts) has looked at their shape; [relay-frame.ts](relay-frame.ts) is the short cut for packets;
[proof.ts](proof.ts) is the proof of key possession; [timing.ts](timing.ts) and
[close-codes.ts](close-codes.ts) are what their names say.`

const framing = (): string => `## Framing

- Connect to \`wss://HOST${MESH_PATH}\` (or \`ws://\` where TLS ends elsewhere) with WebSocket version 13 and the
  subprotocol \`${SUBPROTOCOL}\` in \`Sec-WebSocket-Protocol\`; nothing else is spoken. Send no \`Origin\` header,
  and no query: credentials travel inside.
- No extension is negotiated: messages are not compressed.
- **Binary messages only.** A text message is a fault.
- **A message holds one or more values, one directly after another**, each in
  [MessagePack](https://github.com/msgpack/msgpack/blob/master/spec.md). There is no length, count or
  delimiter between them. Read until the message ends. An empty message is a fault.
- Values of one message are handled in order. Whether values come in one message or in several makes no difference.
- A value does not continue in the next message.
- Sizes: at most ${MESSAGE_MAX} bytes in a message, both ways; from the agent at most ${GREETING_MESSAGE_MAX} until the session
  stands. A longer message ends the connection.
- An HTTP answer other than 101 means: come back with back-off. \`503\` may carry \`Retry-After\`, in seconds.`

const values = (): string => `## Values

A value is a list: \`[code, field, field, …]\`. The code says which message it is, the fields stand in the order of
the tables below. There are no maps and no names on the wire.

What may occur in a value:

| type | msgpack |
| --- | --- |
| nil, false, true | \`c0\`, \`c2\`, \`c3\` |
| number | any fixint, \`cc\`–\`cf\`, \`d0\`–\`d3\`, \`ca\`, \`cb\` |
| string | fixstr, \`d9\`, \`da\`, in UTF-8 |
| bytes | \`c4\`, \`c5\` |
| list | fixarray, \`dc\` |

Everything else is refused before it is decoded: maps, extension types (timestamps too), \`c1\`, and the forms
with 32-bit lengths (\`c6\`, \`db\`, \`dd\`). So are lists nested deeper than ${MAX_DEPTH} (the value itself is the
first), more than ${MAX_ITEMS} items in one value (lists and the value itself count as items), and a value that ends outside its message.

**Numbers** are read in any spelling that holds them: 7 may be a fixint, a uint64 or a float. Write them as you
like; the coordinator writes whole numbers below 2^32 as integers and larger ones as float64, so read both.
NaN and infinities are refused.

The types in the tables of fields:

| type | values |
| --- | --- |
| bool | true or false |
| u32 | whole number, 0 to 2^32−1 |
| u53 | whole number, 0 to 2^53−1 |
| f64 | finite number |
| f64 ≥0 | finite number, not negative |
| str ≤N | at most N UTF-16 units (N letters, for most alphabets), no control characters, no U+2028, U+2029 |
| id | 1 to 64 of \`A-Z a-z 0-9 . _ -\`, beginning with a letter or digit |
| country | two upper-case letters, ISO 3166-1 |
| bytes N, bytes ≤N | exactly N bytes, at most N bytes |
| \`a\` \`b\` | one of these strings |
| ≤N × T | list of at most N items of type T |

**Evolution.** An optional field that is absent is nil; those at the end may be left out altogether. New fields
are only ever appended, and optional. Ignore items behind the last field you know. Ignore messages whose code
you do not know: a newer coordinator may send them.`

const handshake = (): string => `## Handshake

The coordinator speaks first. The agent answers \`welcome\` with \`register\`, or with \`resume\` when it holds a
ticket. Either must arrive within ${seconds(TIMING.greetingMs)} of \`welcome\`.

${fence(`agent                                   coordinator
  │ ─── GET ${MESH_PATH}, ${SUBPROTOCOL} ───────────────▶ │
  │ ◀── welcome {serverId, challenge, nonce, timeMs}
  │ ─── register {role, id, publicKey, proof, …} ▶ │   proof, credential, key and id are checked
  │ ◀── registered {sessionId, ticket, …, links} │
  │ ◀── path.open, for each of links ─────── │
  │ ─── heartbeat ─────────────────────────▶ │   at once, then every beatEveryMs
  │ ◀── heartbeat.ack ────────────────────── │`)}

1. Connect. Read \`welcome\`.
2. Compute the [proof](#proof-of-key-possession) and send \`register\`. At first contact it carries a
   \`credential\`, the secret of an enrolment key that an operator made. The coordinator then binds the id to
   the public key for good and gives the identity its addresses in the mesh. Later the proof alone is enough;
   a credential that is sent all the same is not spent again.
   Send it as a message of its own, and nothing more until it is answered.
3. Read \`registered\`, or \`refused\` and a close. \`refused.code\` is for programs, the close code after it says
   whether to come back, and \`refused.retryAfterMs\`, when present, is the least time to wait.
4. Keep the ticket as a secret. Give the WireGuard interface \`overlay4\` and \`overlay6\`. Use \`beatEveryMs\`,
   \`silenceMs\` and \`resumeWindowMs\` as they come: they may differ from the defaults on this page.
5. Close every link that you hold and that is not in \`links\`.

${refusalTable()}

**The same identity twice.** The newest connection that proves the key wins. The older one hears \`replaced\`
and is closed with 4509, which is final: whoever hears it stops, so that two copies do not fight.

**Generations.** Each \`registered\` and \`resumed\` raises the identity's \`generation\`. Whatever still arrives
from an older one counts for nothing. An agent needs the number for its logs only.`

const proof = (): string => `## Proof of key possession

\`register\` proves that the agent holds the private key of the WireGuard public key it names:

${fence(`shared = X25519(agent's WireGuard private key, welcome.challenge)                              RFC 7748
key    = HKDF-SHA256(ikm = shared, salt = empty, info = "boson.v1 register", length = 32)      RFC 5869
proof  = HMAC-SHA256(key, nonce ‖ L(role) ‖ role ‖ L(id) ‖ id ‖ L(serverId) ‖ serverId)        RFC 2104`)}

- \`nonce\` and \`serverId\` are those of \`welcome\`; \`role\` is \`node\` or \`client\`; \`id\` is the one registered.
- Strings are in UTF-8; \`L(x)\` is the length of x in bytes, as one byte.
- An empty salt means 32 zero bytes in HKDF-Extract. As 32 bytes are one block, HKDF comes to
  \`key = HMAC(HMAC(00…00, shared), "boson.v1 register" ‖ 01)\`.
- WireGuard keys are X25519 keys: the base64 that \`wg genkey\` and \`wg pubkey\` print is these 32 bytes.
- An all-zero \`shared\` is refused on both sides: the other's key is then not a usable point.

A nonce is good for one proof on one connection.`

function workedProof(): string {
  const register = encode(WORKED.register)
  const part = (title: string, bytes: Uint8Array) => `${title}\n${hexBlock(bytes, '  ')}`
  const fields = Register.order.map(key => {
    const value = WORKED.register[key as keyof typeof WORKED.register]
    const shown = value instanceof Uint8Array ? `${value.length} bytes, above` : JSON.stringify(value)
    return `  ${key.padEnd(14)} ${shown}`
  })
  return `### A worked example

The keys are those of RFC 7748 §6.1. Compute the lines below in this order and compare.

${fence(
  [
    part('WireGuard private key of the agent', WORKED.agentPrivateKey),
    part('its public key', WORKED.agentPublicKey),
    part('ephemeral private key of the coordinator, which no agent ever sees', WORKED.challengePrivateKey),
    part('welcome.challenge', WORKED.challenge),
    part('welcome.nonce', WORKED.nonce),
    `role "${WORKED.role}", id "${WORKED.id}", serverId "${WORKED.serverId}"`,
    '',
    part('shared', WORKED.sharedSecret),
    part('key', WORKED.macKey),
    part('what the HMAC is taken of', WORKED.macInput),
    part('proof', WORKED.proof),
  ].join('\n'),
)}

The \`register\` message with these fields, whole (${register.length} bytes):

${fence(`${fields.join('\n')}\n\n${hexBlock(register)}`)}`
}

const afterwards = (): string => `## Resume

A lost socket does not end the session: for \`resumeWindowMs\` (by default ${seconds(TIMING.resumeWindowMs)}) it is suspended, and its routes,
links and addresses stay. Dial again, read \`welcome\`, send \`resume\` with the ticket instead of \`register\`:

${fence(`agent                                coordinator
  │ ◀── welcome ─────────────────────────── │
  │ ─── resume {ticket} ──────────────────▶ │
  │ ◀── resumed {generation, ticket, links} │   a fresh ticket; the old one is used up
  │ ◀── path.open, for each of links ────── │   idempotent: update, do not interrupt`)}

- A ticket is good once. \`resumed\` brings the next one.
- \`refused\` with \`ticket_unknown\` and close 4003 means that the ticket is used, too old, or unknown. Forget it,
  dial again and \`register\`. Keep the links until \`registered.links\` says which of them are still open.
- Every ${seconds(TIMING.renewEveryMs)} send \`renew\`: \`renewed\` brings a fresh ticket, and TURN credentials that are good for longer. The old
  ones are good until then.
- A program that restarts may resume too, when it kept the ticket where only it can read.
- A ticket is a bearer secret. Store it as one; never log it.

\`goodbye\` ends the session at once: no window, its routes are released, the close is 4511. Say it when the
agent is stopped on purpose.`

const liveness = (): string => `## Heartbeats and liveness

Send \`heartbeat\` at once after \`registered\` or \`resumed\` and then every \`beatEveryMs\` (by default ${seconds(TIMING.beatEveryMs)}).
\`seq\` begins at 1 in each connection and counts up. What cannot be measured is nil, never a guess. Each is
answered by \`heartbeat.ack\` with the same \`seq\`.

**Round trip.** The acknowledgement carries \`stamp\`. Put it into the next heartbeat's \`echoStamp\`, and how long
ago it arrived, in ms, into \`echoHeldMs\`. The coordinator takes its own time now, less the stamp, less the
time held. The agent measures for itself: the time from a heartbeat to its acknowledgement.

| silence | after | what follows |
| --- | --- | --- |
| of a node, at the coordinator | ${TIMING.lapseBeats} beats (${seconds(TIMING.lapseBeats * TIMING.beatEveryMs)}) | no new routes for it; its clients are moved to other nodes |
| of any agent, at the coordinator | \`silenceMs\`, ${TIMING.silenceBeats} beats (${seconds(TIMING.silenceBeats * TIMING.beatEveryMs)}) | close 4009; the session is suspended |
| of the coordinator, at the agent | \`silenceMs\`, ${TIMING.silenceBeats} beats (${seconds(TIMING.silenceBeats * TIMING.beatEveryMs)}) | the agent closes the socket, dials again and resumes |
| of a node's socket (it is gone) | ${seconds(TIMING.failoverAfterMs)} | its clients are moved, unless it resumed by then |

Silence is the time since the last **complete, valid binary message** of any kind. Bytes of an unfinished
message, pings and pongs do not count: a socket may trickle for ever and be dead. Measure with a clock that never
jumps. WebSocket pings are answered; more than a few a second are a fault.`

const comingBack = (): string => `## Coming back

- Wait before each attempt: uniformly random between 0 and
  min(${seconds(TIMING.reconnectMaxMs)}, ${seconds(TIMING.reconnectFirstMs)} · 2^attempt), attempt counting from 0. A session that stood for ${seconds(TIMING.stableAfterMs)} resets the count.
- \`refused.retryAfterMs\` and HTTP \`Retry-After\` are least waits.
- Keep the WireGuard peers while the socket is away: packets are lost meanwhile, the tunnel is not.

**\`restarting\`**: the coordinator stops soon. Keep everything. It closes the socket with 4000; dial again
\`reconnectInMs\` after the message arrived (each agent has its own slot, so that not all come at once) and
resume. Until \`tryForMs\` after the message, a connection that fails is the restart and not a loss: go on trying with back-off.

**Not let in for now**: \`refused\` with \`not_entitled\`, \`quota_used\` or \`inactive\` answers a greeting, or comes at any moment of a
session. The session has ended with its routes and links: forget the ticket, remove the peers, show \`reason\` to whoever uses
the machine, and \`register\` again after \`retryAfterMs\`. When an identity is only slowed down, nothing ends: \`path.open\` comes
again with the policy \`relay-only\` for each link, and later without it; what is above the rate is dropped, of which
\`relay.pressure\` tells.`

const routes = (): string => `## Routes and paths

A client asks for a node. The coordinator decides, reserves the capacity, and introduces the two ends to each other:

\`\`\`
client                        coordinator                          node
  │ ─ route.request {requestId} ▶ │                                  │
  │ ◀ route.assigned {link, …} ── │                                  │
  │ ◀ path.open {link, node} ──── │ ──── path.open {link, client} ─▶ │
  │   set up the WireGuard peer   │      set up the WireGuard peer   │
  │ ─ path.ready {link} ────────▶ │ ◀──────────── path.ready {link} ─│
  │ ◀ path.settled relayed ────── │ ────── path.settled relayed ───▶ │
  │ ◀════════ relay.data {link} ══╪══════════ relay.data {link} ═══▶ │
\`\`\`

- \`path.open\` has all that a WireGuard peer entry needs: public key, allowed IPs, keepalive. The endpoint of
  the entry is the agent's own loopback socket, whose packets travel as \`relay.data\`.
- \`path.open\` is idempotent. It comes again after a resume; for a link that is open, update what differs and
  do not disturb the traffic. Answer each with \`path.ready\`: a link that carries already is told \`path.settled\` again.
- The link carries when both ends have said \`path.ready\`. They have ${seconds(TIMING.pathOpenMs)}; an end that cannot serve the link says
  \`path.closed\` at once, and the client is given another node.
- Every requirement in \`route.request\` is hard. \`route.refused.unmet\` names those that excluded nodes.
- \`path.open\` may arrive before \`route.assigned\` or after it: go by the link.
- Without \`exit\` the allowed IPs are the peer's own addresses in the mesh; with it, a client's are everything.
- A client has one route. The same request again is answered with the same route. Another request replaces it,
  or is refused and leaves it standing; name the current node in \`exclude\` to leave that node.
- \`path.report\`, every few heartbeats while a path is open, says how it is doing.

When the node is lost, leaves, is drained or carries badly, the client gets another one without asking:

\`\`\`
client                        coordinator                      other node
  │ ◀ route.switched {link: new, previousLink} ─                     │
  │ ◀ path.open {link: new} ───── │ ───── path.open {link: new} ───▶ │
  │ ─ path.ready {link: new} ───▶ │ ◀────── path.ready {link: new} ─ │
  │ ◀ path.settled {link: new} ── │                                  │
  │ ◀ path.closed {link: previousLink}                               │
\`\`\`

Set up the new peer beside the old one, and go on sending over the old link until \`path.settled\` names the new one and
WireGuard's handshake with the new peer is over; then move the traffic, and with it allowed IPs that both peers want, such
as everything. While the old node lives, its link stays open until a second after \`path.settled\`; when it is gone,
\`path.closed\` comes at once. Remove the old peer then. A new path that does not come to carry is followed by another
\`route.switched\`, which may name the old link again. While no other node qualifies the route waits for one. When its node will not
come back, \`route.refused\` with \`requestId\` 0 takes the route back; ask again later.

A node that is about to go asks to be drained first, and carries its clients' traffic on until the last link is closed:

\`\`\`
node                          coordinator
  │ ─ drain.request {withinMs} ──▶ │         nothing new comes; routes move one after another
  │ ◀ drain.state {draining, left} │ …       at most once a second
  │ ◀ path.closed {link} ───────── │ …       each client's new path carries by now
  │ ◀ drain.state {empty} ──────── │         or expired: what was left was ended
  │ ─ goodbye ───────────────────▶ │
\`\`\`

\`drain.state\` also comes when the operator drains the node, who may ask for longer than the node does; of two deadlines the
nearer one counts. A node that hears \`draining\` by \`node\` and wants nothing of the kind, since a process before it did, says
\`drain.request\` with \`cancel\`. Registering anew ends a drain of the node's own, resuming does not.

After \`registered\` and \`resumed\` a client hears its standing route again, as \`route.assigned\` with \`requestId\` 0.
\`route.release\` gives the route back; \`path.closed\` follows to both ends.`

const relay = (): string => `## Relayed packets

\`relay.data\` carries one packet. It is plain msgpack in **one fixed spelling**, so that a relay finds link and
payload by their offsets:

${fence(`93 40 ce LL LL LL LL c4 NN     payload      payload of at most 255 bytes
93 40 ce LL LL LL LL c5 NN NN  payload      longer; NN NN is big-endian
│  │  │              └ bin8 or bin16, the shorter one that fits
│  │  └ uint32, big-endian: the link id
│  └ code ${code(RelayData.code)}
└ list of three`)}

- Link ids are at least ${FIRST_LINK} (0x${FIRST_LINK.toString(16)}): every encoder that writes numbers in their shortest form writes
  them as uint32. An encoder that does not must be told to. Other spellings are refused.
- Both ends know the link by the same id. The packet arrives as it was sent, byte for byte.
- The payload is at most ${RELAY_PAYLOAD_MAX} bytes (\`registered.relayMtu\`), and a WireGuard message: first byte 1 to 4, then three
  zero bytes, 32 bytes or more. Others are dropped and answered by \`relay.gone\` with \`not_wireguard\`.
- **Bundle.** Put what you read in one turn into one message, up to ${MESSAGE_MAX} bytes, and expect the same. System
  calls are what relaying costs. \`relay.data\` and other values may share a message.
- Packets are datagrams. Under pressure the oldest are dropped, and \`relay.pressure\` says how many. It is
  information: WireGuard and what runs inside slow down by themselves.
- \`relay.gone\`: the link is unknown, or its other end is away. Keep the peer; \`path.closed\` says when it is over.`

const jobs = `## Jobs

Operators order things that a node is to do: \`restart\`, \`logLevel\`, \`reprobe\`, \`bundle\`, \`updateConfig\`, or what their own agents
know. A node that does jobs says \`job.ready\` with their kinds after each \`registered\` and \`resumed\`; others say nothing, and are
offered none.

\`\`\`
node                          coordinator
  │ ─ job.ready {kinds} ─────────▶ │         once for each time that the session stands
  │ ◀ job.offer {jobId, kind} ──── │         what is not over, and what is ordered later
  │ ─ job.progress {jobId} ──────▶ │         the node has it, and remembers it
  │ ─ job.done {jobId, outcome} ─▶ │         or the answer was lost: the offer comes again, and the same answer with it
\`\`\`

- **Remember** \`jobId\` and \`orderedAtMs\` before you begin, and the outcome before you tell it, where a restart of yours finds
  them, until \`withinMs\` is over. What is offered again was not heard: say what you said, and do nothing twice.
- A job that a process of yours before this one has begun and not ended is \`failed\`, unless its end was the point, as of \`restart\`.
- What you cannot do is \`failed\` at once, with a \`reason\`. So is what \`withinMs\` is over for.
- Payload and result are JSON in UTF-8, ${JOB_JSON_MAX} bytes at most. Whoever says something of a job that it was never offered is not heard.`

const faults = `## Faults and limits

A value that is not of this protocol is a strike: it is answered by \`error\`, at most once a second, and the rest
of its WebSocket message is not looked at. What came before it was handled.

| \`error.code\` | what was wrong |
| --- | --- |
| \`malformed\` | not this shape of msgpack, no list that begins with a code, a text message, a message too long for its time |
| \`unknown_message\` | no message has this code; \`about\` says which. Do not send it again: the coordinator is older |
| \`bad_field\` | the reason names message and field and says what was wanted |
| \`not_now\` | this role may not say it, or not before the session stands |
| \`too_many\` | above a rate |

\`about\` is the code of the message in question, where that much was readable. Never answer an \`error\`.

Too many strikes within a minute close the socket with 4002; too many pings, greetings from one address, or
control messages (all but packets) close it with 4029. The figures are the operator's; \`.env.example\` has them
with their defaults. An agent that keeps to this page never meets them.`

const minimum = `## The least an agent does

1. Dial, read \`welcome\`, prove, \`register\`; keep the ticket.
2. \`heartbeat\` every \`beatEveryMs\` with \`seq\`, \`echoStamp\`, \`echoHeldMs\`, \`serverId\` (its own id), \`generatedAt\`
   and \`readyAt\`; the rest nil.
3. Answer \`path.open\` by setting up the peer and saying \`path.ready\`; tear down at \`path.closed\`.
4. Carry: datagrams from WireGuard out as \`relay.data\`, and back.
5. Close after \`silenceMs\` of silence; come back with back-off; \`resume\`, or \`register\` when that is refused.
6. Stop for good at a close of 4500 to 4999.
7. Ignore what it does not know.`

const operators = (): string => `## The operators’ socket

Pages and programs of operators have a socket of their own, \`${OPERATOR_PATH}\` with the subprotocol
\`${OPERATOR_SUBPROTOCOL}\`: the same framing and the same values, other messages. An agent never meets them, and
neither socket takes a message of the other.

${fence(`operator                                coordinator
  │ ─── GET ${OPERATOR_PATH}, ${OPERATOR_SUBPROTOCOL} ──▶ │
  │ ─── operator.hello {token} ────────────▶ │   within ${seconds(OPERATOR_HELLO_MS)}
  │ ◀── operator.ready {name, role, …} ───── │
  │ ─── operator.call {requestId, …} ──────▶ │   any endpoint of the HTTP interface, with the rights of the token
  │ ◀── operator.answer {requestId, …} ───── │
  │ ─── operator.watch {watchId, path, …} ─▶ │
  │ ◀── operator.view {watchId, …} ───────── │   at once, and whenever it differs
  │ ─── operator.follow {watchId, topic} ──▶ │
  │ ◀── operator.events {watchId, …} ─────── │   as it happens, in bundles
  │ ─── operator.renew {token} ────────────▶ │   before expiresAtMs`)}

- A web page may open it when the coordinator served it, or when its origin is one that the operator of the
  coordinator has listed. What it may do depends on the token in \`operator.hello\` alone.
- In these messages values may also hold **maps**, \`80\`–\`8f\` and \`de\`, whose keys are strings, and long strings,
  \`db\`. The type **value** is what JSON can say: nil, a bool, a finite number, a string, a list or a map, at most
  ${VALUE_DEPTH_MAX} lists and maps in each other.
- Sizes: from the operator at most ${OPERATOR_HELLO_MAX} bytes in a message until \`operator.ready\`, then ${OPERATOR_MESSAGE_MAX};
  from the coordinator at most ${OPERATOR_ANSWER_MAX}.
- A socket has at most ${OPERATOR_BOUNDS.watches} watches, ${OPERATOR_BOUNDS.follows} follows and ${OPERATOR_BOUNDS.calls} calls at once.
- Nothing is looked at again while the socket is behind: a slow reader sees less often, and never old views.
- A message that is not of this table ends the socket.

${operatorCloseTable()}

${messageIndex(OPERATORS)}

${messageSections(OPERATORS)}`
