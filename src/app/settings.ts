/**
 * Every setting of the coordinator, once. From here come the environment names, the flags of
 * `boson server` (`dataDir` is `--data-dir`), the keys of the configuration file, the defaults, the
 * messages for bad values, and `.env.example`.
 */
import { DEFAULT_ADMISSION } from '../actors/admission/pacing.js'
import { TIMING } from '../protocol/timing.js'
import type { PolicyRule } from '../mesh/path-policy.js'
import { DEFAULT_LIMITS, DEFAULT_NAT_PROBE_EVERY_MS, DEFAULT_RELAY } from './mesh.js'
import {
  hostPort,
  ipAddress,
  ipv6Address,
  lifetime,
  list,
  matching,
  network,
  number,
  oneOf,
  optional,
  origin,
  policyRules,
  portRange,
  secret,
  sender,
  smtpUrl,
  sshAddress,
  standard,
  text,
  url,
  whole,
  yesNo,
} from './setting.js'

export { flagOf } from './setting.js'

const path = text(4096)
/** A path that means the same to every shell. */
const scriptPath = matching(
  /^(?=.{2,255}$)(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$/,
  'an absolute path of A-Z a-z 0-9 _ . - whose parts begin with a letter, digit or _',
)
/** An hour, the longest that any interval may be set to, ms. */
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

export const SETTINGS = {
  // where it listens
  host: optional('HOST', text(255), {
    doc: 'Address to listen on. When not set: 0.0.0.0 in production, 127.0.0.1 otherwise.',
    example: '0.0.0.0',
  }),
  port: standard('PORT', whole(0, 65_535), 3000, {
    doc: 'Port of the WebSocket, the HTTP pages and the metrics; 0 takes any free one.',
  }),
  tlsCert: optional('BOSON_TLS_CERT', path, {
    doc: 'Certificate chain, PEM; read again on SIGHUP. Needs BOSON_TLS_KEY.',
    example: '/etc/boson/fullchain.pem',
  }),
  tlsKey: optional('BOSON_TLS_KEY', path, {
    doc: 'Private key of the certificate, PEM.',
    example: '/etc/boson/privkey.pem',
  }),
  trustedProxies: standard('BOSON_TRUSTED_PROXIES', list(network(0, 0, 128)), [] as readonly string[], {
    doc: 'Proxies whose X-Forwarded-For counts; nobody else’s does.',
    example: '10.0.0.0/8',
  }),
  origins: standard('BOSON_ORIGINS', list(origin), [] as readonly string[], {
    doc: 'Web pages that may open the WebSocket. Agents send no Origin and need no entry.',
    example: 'https://panel.example.org',
  }),
  inspectorOrigins: standard('BOSON_INSPECTOR_ORIGINS', list(origin), [] as readonly string[], {
    doc: 'Web pages that may open the operators’ WebSocket, beside /inspector of this coordinator itself. What they may do depends on the token they have.',
    example: 'https://panel.example.org',
  }),
  corsOrigin: standard('CORS_ORIGIN', list(origin), [] as readonly string[], {
    doc: 'Web pages that may call the HTTP interface from a browser.',
    example: 'https://panel.example.org',
  }),
  httpPerMinute: standard('BOSON_HTTP_PER_MINUTE', number(0.001, 1_000_000), 300, {
    doc: 'HTTP requests a minute from one address without a valid token, in the long run.',
  }),
  httpBurst: optional('BOSON_HTTP_BURST', whole(1, 1_000_000), {
    doc: 'HTTP requests at once from one address without a valid token. When not set: a third of a minute’s.',
    example: '100',
  }),
  httpPerMinutePerIdentity: standard('BOSON_HTTP_PER_MINUTE_PER_IDENTITY', whole(1, 1_000_000), 600, {
    doc: 'HTTP requests a minute of one node or client that holds a token of ours.',
  }),
  httpBeatEveryS: standard('BOSON_HTTP_BEAT_EVERY_S', whole(1, 300), 30, {
    doc: 'How often nodes that speak HTTP are to be heard, s; degraded ones three times as often. Who misses three of them is taken for gone.',
  }),
  publicUrl: optional('BOSON_PUBLIC_URL', url('http:', 'https:'), {
    doc: 'Where agents reach this coordinator, as HTTP answers tell them. When not set: where the caller found it.',
    example: 'https://mesh.example.org',
  }),
  metricsOpen: standard('BOSON_METRICS_OPEN', yesNo, false, {
    doc: 'Lets anyone read /metrics. Otherwise only this machine and holders of SECRET_TOKEN may.',
  }),

  // who it is, and what it keeps
  mode: standard('NODE_ENV', oneOf('development', 'production', 'test'), 'development' as const, {
    doc: 'production refuses to start with a missing, short or well-known secret.',
  }),
  serverId: optional(
    'BOSON_SERVER_ID',
    matching(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      '1 to 64 of A-Z a-z 0-9 . _ - beginning with a letter or digit',
    ),
    {
      doc: 'Name of this coordinator; agents prove their keys to it. When not set: made once in the data directory.',
      example: 'eu-1',
    },
  ),
  dataDir: standard('BOSON_DATA_DIR', path, './.boson', {
    doc: 'Directory of the embedded database, the journal and what is made once. One process at a time.',
  }),
  databaseUrl: optional('DATABASE_URL', url('postgres:', 'postgresql:'), {
    doc: 'PostgreSQL instead of the embedded database. POSTGRES_HOST, _PORT, _DB, _USER and _PASSWORD do as well.',
    example: 'postgres://boson@db.example.org/boson',
  }),
  migrate: standard('BOSON_MIGRATE', oneOf('auto', 'check'), 'auto' as const, {
    doc: 'What a start does when the tables are of an older version: auto backs the database up and changes them, check refuses, and `boson migrate` does it.',
  }),
  backupsKept: standard('BOSON_BACKUPS_KEPT', whole(1, 1_000), 5, {
    doc: 'Backups that are kept of those made before the tables were changed: the newest.',
  }),
  redisUrl: optional('REDIS_URL', url('redis:', 'rediss:'), {
    doc: 'Redis. Its state shows in /health.',
    example: 'redis://cache.example.org',
  }),
  snapshotEveryMs: standard('BOSON_SNAPSHOT_EVERY_MS', whole(50, HOUR_MS), 500, {
    doc: 'How often what changed is written to the database, ms. The journal keeps it until then.',
  }),
  pathsKeptDays: standard('BOSON_PATHS_KEPT_DAYS', number(0.01, 36_500), 30, {
    doc: 'How long `boson why` can tell of a path that has ended, days.',
  }),
  historyEveryMs: standard('BOSON_HISTORY_EVERY_MS', whole(100, HOUR_MS), 60_000, {
    doc: 'How often the figures of every node are kept in the history, ms.',
  }),
  historySamplesKeptDays: standard('BOSON_HISTORY_SAMPLES_KEPT_DAYS', number(0.01, 36_500), 1, {
    doc: 'How long the samples of the history are kept as they are, days; what they add up to is kept longer.',
  }),
  historyMinutesKeptDays: standard('BOSON_HISTORY_MINUTES_KEPT_DAYS', number(0.01, 36_500), 2, {
    doc: 'How long the history is kept by minutes, days.',
  }),
  historyHoursKeptDays: standard('BOSON_HISTORY_HOURS_KEPT_DAYS', number(0.01, 36_500), 90, {
    doc: 'How long the history is kept by hours, days.',
  }),
  historyDaysKeptDays: standard('BOSON_HISTORY_DAYS_KEPT_DAYS', number(0.01, 36_500), 1_825, {
    doc: 'How long the history is kept by days, days.',
  }),

  // what agents report
  reportRecordsPerMinute: standard('BOSON_REPORT_RECORDS_PER_MINUTE', whole(1, 10_000_000), 6_000, {
    doc: 'Records of clients, statistics and logs that one agent may report a minute, in the long run.',
  }),
  reportRowsPerAgent: standard('BOSON_REPORT_ROWS_PER_AGENT', whole(100, 100_000_000), 100_000, {
    doc: 'Log lines, and clients, of one agent that are kept: the newest.',
  }),
  reportClientsKeptDays: standard('BOSON_REPORT_CLIENTS_KEPT_DAYS', number(0.01, 36_500), 90, {
    doc: 'How long a reported client is kept after it was last seen, days.',
  }),
  reportLogsKeptDays: standard('BOSON_REPORT_LOGS_KEPT_DAYS', number(0.01, 36_500), 30, {
    doc: 'How long the log lines of agents are kept, days.',
  }),
  trafficEveryMs: standard('BOSON_TRAFFIC_EVERY_MS', whole(100, HOUR_MS), 60_000, {
    doc: 'How often what went over the paths of the mesh is accounted for, ms.',
  }),
  reportHoursKeptDays: standard('BOSON_REPORT_HOURS_KEPT_DAYS', number(8, 36_500), 35, {
    doc: 'How long traffic is kept by the hour, days.',
  }),
  reportDaysKeptDays: standard('BOSON_REPORT_DAYS_KEPT_DAYS', number(91, 36_500), 400, {
    doc: 'How long traffic is kept by the day, days.',
  }),
  heartbeatsKeptDays: standard('BOSON_HEARTBEATS_KEPT_DAYS', number(1, 36_500), 7, {
    doc: 'How long heartbeats of VPN servers are kept as they were sent, days; what they add up to is in the history.',
  }),
  jobsKeptDays: standard('BOSON_JOBS_KEPT_DAYS', number(0.01, 36_500), 30, {
    doc: 'How long jobs of nodes are kept after they are over, days.',
  }),

  // people
  signUp: standard('BOSON_SIGN_UP', oneOf('off', 'open', 'confirmed'), 'off' as const, {
    doc: 'Whether people may register by themselves: not at all, at once, or once they have confirmed their address by mail.',
  }),
  passwordMin: standard('BOSON_PASSWORD_MIN', whole(8, 64), 12, {
    doc: 'Characters that the password of an account has at least.',
  }),
  smtpUrl: secret(
    'SMTP_URL',
    {
      doc: 'Mail server that takes our mail: smtp://user:password@host:587 (by STARTTLS) or smtps://…:465; ?ca=FILE trusts the authorities in it. When not set, mail goes to the log. Needs MAIL_FROM.',
    },
    smtpUrl,
  ),
  mailFrom: optional('MAIL_FROM', sender, {
    doc: 'Whom our mail comes from.',
    example: 'Mesh <mesh@example.org>',
  }),

  // peers of accounts
  wgProvisioner: optional('WG_PROVISIONER', oneOf('mesh', 'wg-easy', 'ssh'), {
    doc: 'Where WireGuard runs for new peers of accounts: the nodes of this mesh, a wg-easy, or a host that is reached by SSH. When not set: mesh, or wg-easy where WG_KEY_POLICY is wg-easy.',
    example: 'mesh',
  }),
  wgKeyPolicy: optional('WG_KEY_POLICY', oneOf('client', 'host', 'db', 'wg-easy'), {
    doc: 'Who makes the key of a peer that is asked for without one: nobody (the client sends its own), the coordinator, which shows it once and keeps it nowhere, or keeps it sealed for its owner (db), or wg-easy. When not set: host, or wg-easy with WG_PROVISIONER=wg-easy.',
    example: 'host',
  }),

  // payments
  paymentLifeMs: standard('PAYMENT_EXPIRES_IN', lifetime(60_000, 90 * DAY_MS), DAY_MS, {
    doc: 'How long a payment that was asked for can be paid, with its unit.',
    example: '24h',
  }),
  paymentUrl: optional('PAYMENT_URL', url('https:', 'http:'), {
    doc: 'Where payers go with the provider generic; {payment_id}, {amount} and {currency} stand for those of the payment.',
    example: 'https://pay.example.org/?order={payment_id}&amount={amount}&currency={currency}',
  }),
  paymentWebhookSecret: secret('PAYMENT_WEBHOOK_SECRET', {
    doc: 'Signs what providers tell at POST /payments/webhook, at least 32 characters. When not set, nobody’s word is taken there.',
  }),
  paymentWebhookOldSecret: secret('PAYMENT_WEBHOOK_OLD_SECRET', {
    doc: 'The secret before: what is signed with it is taken until it is unset.',
  }),
  telegramBot: optional(
    'PAYMENT_TELEGRAM_BOT',
    matching(/^[A-Za-z][A-Za-z0-9_]{3,31}$/, 'the name of a Telegram bot, without the @'),
    {
      doc: 'The Telegram bot that sells. Needs PAYMENT_TELEGRAM_SECRET.',
      example: 'example_vpn_bot',
    },
  ),
  telegramSecret: secret('PAYMENT_TELEGRAM_SECRET', {
    doc: 'The secret_token that setWebhook of the bot was given, at least 32 characters of A-Z a-z 0-9 _ -.',
  }),
  telegramOldSecret: secret('PAYMENT_TELEGRAM_OLD_SECRET', {
    doc: 'The secret before: updates with it are taken until it is unset.',
  }),
  telegramProviderToken: secret('PAYMENT_TELEGRAM_PROVIDER_TOKEN', {
    doc: 'Token of the bank behind the bot, which @BotFather gives. Without it the bot takes Telegram’s stars (XTR) only.',
  }),

  // secrets
  secretToken: secret('SECRET_TOKEN', {
    doc: 'Bearer token of the operator’s HTTP interface, at least 32 characters. In development made once in the data directory.',
  }),
  jwtSecret: secret('JWT_SECRET', {
    doc: 'Signs the tokens of people, and of agents that speak HTTP, at least 32 characters; SECRET_KEY is another name of it. Required in production; otherwise made once in the data directory.',
  }),
  jwtOldSecret: secret('BOSON_JWT_OLD_SECRET', {
    doc: 'The secret before: tokens signed with it are taken until it is unset.',
  }),
  jwtLifeMs: standard('JWT_EXPIRES_IN', lifetime(60_000, 30 * DAY_MS), DAY_MS, {
    doc: 'How long a token of an agent that speaks HTTP is good, with its unit: 24h, 90m, 3600s.',
    example: '24h',
  }),
  promoteSecret: secret('PROMOTE_SECRET', {
    doc: 'Makes the first admin of a registered account, by `POST /auth/admin/promote`; worth nothing once there is one. `boson users first` needs none.',
  }),
  turnStaticSecret: secret('TURN_STATIC_SECRET', {
    doc: 'Signs TURN credentials, at least 32 characters. Required in production.',
  }),
  turnOldSecret: secret('BOSON_TURN_OLD_SECRET', {
    doc: 'The secret before: TURN credentials signed with it are taken until it is unset.',
  }),
  vaultKey: secret('BOSON_VAULT_KEY', {
    doc: 'Seals secrets that the database keeps, such as those of webhooks, at least 32 characters. Coordinators of one database share it. When not set: made once in the data directory.',
  }),

  // STUN and TURN
  turnMode: standard('BOSON_TURN_MODE', oneOf('embedded', 'coturn', 'external', 'off'), 'embedded' as const, {
    doc: 'Who serves STUN and TURN: the coordinator itself, a coturn that it runs, another server that shares TURN_STATIC_SECRET, or nobody.',
  }),
  turnPort: standard('TURN_LISTENING_PORT', whole(0, 65_535), 3478, {
    doc: 'Port of STUN and TURN, UDP and TCP, on the address of HOST; 0 takes any free one.',
  }),
  turnOtherPort: optional('BOSON_TURN_OTHER_PORT', whole(0, 65_535), {
    doc: 'A second port of STUN, UDP: from its answers agents learn what their NAT does. When not set: the one after TURN_LISTENING_PORT.',
    example: '3479',
  }),
  turnOtherAddress: optional('BOSON_TURN_OTHER_ADDRESS', ipAddress, {
    doc: 'A second public address of this machine for STUN: agents learn more of their NAT. TURN then listens on single addresses.',
    example: '198.51.100.8',
  }),
  turnTlsPort: optional('BOSON_TURN_TLS_PORT', whole(0, 65_535), {
    doc: 'Port of TURN over TLS, with the certificate of BOSON_TLS_CERT. When not set: 5349 when there is one.',
    example: '5349',
  }),
  turnHost: optional('TURN_HOST', text(255), {
    doc: 'Name or address by which agents reach STUN and TURN. When not set: the relay address.',
    example: 'turn.example.org',
  }),
  turnAddress: optional('BOSON_TURN_ADDRESS', ipAddress, {
    doc: 'Address of the TURN relays as peers see it. When not set: HOST, or the first address of this machine that is not loopback.',
    example: '198.51.100.7',
  }),
  turnAddress6: optional('BOSON_TURN_ADDRESS6', ipv6Address, {
    doc: 'IPv6 address of this machine for STUN and TURN beside IPv4. When not set: its first global one when HOST is ::, none otherwise.',
    example: '2001:db8::7',
  }),
  turnPorts: standard('BOSON_TURN_PORTS', portRange, '49152-65535', {
    doc: 'Ports of the TURN relays, UDP, first-last.',
  }),
  turnUrls: standard(
    'BOSON_TURN_URLS',
    list(matching(/^(stun|turns?):\S+$/, 'a stun:, turn: or turns: URI')),
    [] as readonly string[],
    {
      doc: 'With BOSON_TURN_MODE=external: the servers, as agents are to be told.',
      example: 'turn:turn.example.org:3478?transport=udp',
    },
  ),
  coturn: standard('BOSON_COTURN', path, 'turnserver', {
    doc: 'With BOSON_TURN_MODE=coturn: the program.',
  }),
  turnRealm: standard(
    'TURN_REALM',
    matching(/^[\x21-\x7e]{1,64}$/, '1 to 64 printable characters'),
    'bosonserver',
    {
      doc: 'Realm of TURN; a short one keeps answers to strangers short.',
    },
  ),
  turnPeers: standard('BOSON_TURN_PEERS', oneOf('routed', 'public'), 'routed' as const, {
    doc: 'Whom the relays of the embedded TURN reach: peers that their client has a route to, or any public address.',
  }),
  turnDenied: standard('BOSON_TURN_DENIED', list(network(0, 0, 128)), [] as readonly string[], {
    doc: 'Networks that no TURN relay may reach, beyond those that are never public and the mesh itself.',
    example: '192.0.2.0/24',
  }),
  turnExcepted: standard('BOSON_TURN_EXCEPTED', list(network(0, 0, 128)), [] as readonly string[], {
    doc: 'Networks that TURN relays may reach although they are not public: an office, a laboratory.',
    example: '10.20.0.0/16',
  }),

  // the mesh
  overlay4: standard('BOSON_OVERLAY4', network(4, 8, 30), '10.77.0.0/16', {
    doc: 'IPv4 network of the mesh.',
  }),
  overlay6: standard('BOSON_OVERLAY6', network(6, 8, 64), 'fd77:b050::/64', {
    doc: 'IPv6 network of the mesh.',
  }),
  beatEveryMs: standard('BOSON_BEAT_EVERY_MS', whole(100, 600_000), TIMING.beatEveryMs as number, {
    doc: 'Heartbeat interval of the agents, ms.',
  }),
  resumeWindowMs: standard('BOSON_RESUME_WINDOW_MS', whole(1_000, HOUR_MS), TIMING.resumeWindowMs as number, {
    doc: 'How long a session without a socket keeps its routes and links, ms.',
  }),
  failoverAfterMs: standard('BOSON_FAILOVER_AFTER_MS', whole(0, HOUR_MS), TIMING.failoverAfterMs as number, {
    doc: 'How long a node may be without a socket before its clients are moved, ms.',
  }),
  routeDwellMs: standard('BOSON_ROUTE_DWELL_MS', whole(0, HOUR_MS), TIMING.routeDwellMs as number, {
    doc: 'How long a route rests where it is before it may move for a better node, ms. One that has to move does so at once.',
  }),
  restartSpreadMs: standard('BOSON_RESTART_SPREAD_MS', whole(0, HOUR_MS), 5_000, {
    doc: 'Before it stops, the coordinator gives each agent a slot to come back; the last is at most this long after the first, ms.',
  }),
  natProbeEveryMs: standard(
    'BOSON_NAT_PROBE_EVERY_MS',
    whole(10_000, 24 * HOUR_MS),
    DEFAULT_NAT_PROBE_EVERY_MS,
    {
      doc: 'How often each agent finds out anew what the NAT in front of it does, ms; it does at once when its network changes.',
    },
  ),

  // the relay
  relayMbpsPerIdentity: standard(
    'BOSON_RELAY_MBPS_PER_IDENTITY',
    number(0, 1_000_000),
    DEFAULT_RELAY.mbpsPerIdentity,
    {
      doc: 'What one node or client may send through the relay, Mbit/s; 0 is no limit.',
    },
  ),
  relayPayload: standard('BOSON_RELAY_PAYLOAD', oneOf('wireguard', 'any'), DEFAULT_RELAY.payload, {
    doc: 'What the relay carries: WireGuard only, or any datagrams.',
  }),

  pathPolicy: standard('BOSON_PATH_POLICY', policyRules, [] as readonly PolicyRule[], {
    doc: 'Which ways packets may travel, by client, node and tag: auto, relay-only or direct-only. The strictest of this and of what both ends ask for holds.',
    example: 'client:anna=relay-only tag:office=direct-only *=auto',
  }),

  // limits
  greetingPerAddress: standard(
    'BOSON_GREETING_PER_ADDRESS',
    whole(1, 1_000_000),
    DEFAULT_LIMITS.greetingPerAddress,
    {
      doc: 'WebSockets from one address that have not registered yet.',
    },
  ),
  greetingTotal: standard('BOSON_GREETING_TOTAL', whole(1, 10_000_000), DEFAULT_LIMITS.greetingTotal, {
    doc: 'WebSockets in all that have not registered yet.',
  }),
  sessionsPerAddress: standard(
    'BOSON_SESSIONS_PER_ADDRESS',
    whole(1, 10_000_000),
    DEFAULT_LIMITS.sessionsPerAddress,
    {
      doc: 'Sessions from one address; many may share one behind a NAT.',
    },
  ),
  hellosPerSecond: standard(
    'BOSON_HELLOS_PER_SECOND',
    number(0.01, 1_000_000),
    DEFAULT_LIMITS.hellosPerSecond,
    {
      doc: 'Registrations and resumptions a second from one address, in the long run.',
    },
  ),
  helloBurst: standard('BOSON_HELLO_BURST', whole(1, 1_000_000), DEFAULT_LIMITS.helloBurst, {
    doc: 'Registrations and resumptions from one address at once.',
  }),
  admissionsPerSecond: standard(
    'BOSON_ADMISSIONS_PER_SECOND',
    number(1, 1_000_000),
    DEFAULT_ADMISSION.perSecond,
    {
      doc: 'Clients that are let back in a second, in the long run; nodes half as many, registrations a quarter. The others are told when to come.',
    },
  ),
  admissionBurst: standard('BOSON_ADMISSION_BURST', whole(1, 1_000_000), DEFAULT_ADMISSION.burst, {
    doc: 'Clients that are let back in at once after a quiet time.',
  }),
  strikesPerMinute: standard(
    'BOSON_STRIKES_PER_MINUTE',
    whole(1, 1_000_000),
    DEFAULT_LIMITS.strikesPerMinute,
    {
      doc: 'Misshapen or misplaced messages a minute before a socket is closed.',
    },
  ),
  pingsPerSecond: standard('BOSON_PINGS_PER_SECOND', whole(1, 1_000_000), DEFAULT_LIMITS.pingsPerSecond, {
    doc: 'WebSocket pings a second before a socket is closed.',
  }),
  controlPerSecond: standard(
    'BOSON_CONTROL_PER_SECOND',
    number(0.01, 1_000_000),
    DEFAULT_LIMITS.controlPerSecond,
    {
      doc: 'Control messages a second of one session, in the long run.',
    },
  ),
  controlBurst: standard('BOSON_CONTROL_BURST', whole(1, 1_000_000), DEFAULT_LIMITS.controlBurst, {
    doc: 'Control messages of one session at once.',
  }),

  // webhooks
  webhookHoldMs: standard('BOSON_WEBHOOK_HOLD_MS', whole(0, HOUR_MS), 5_000, {
    doc: 'How long webhooks wait before they tell who came or went, ms: who is back by then has not been away.',
  }),
  webhookNetworks: standard('BOSON_WEBHOOK_NETWORKS', list(network(0, 0, 128)), [] as readonly string[], {
    doc: 'Networks that webhooks may call although they are not public.',
    example: '10.20.0.0/16',
  }),
  webhookDisableAfterDays: standard('BOSON_WEBHOOK_DISABLE_AFTER_DAYS', number(0.000_01, 365), 5, {
    doc: 'A webhook at which nothing has arrived for so long is switched off, days.',
  }),

  // WireGuard elsewhere
  wgEasyUrl: optional('WG_EASY_URL', url('http:', 'https:'), {
    doc: 'Where the page of a wg-easy is. Its password goes there: over plain http only within a network of one’s own.',
    example: 'http://10.20.0.8:51821/',
  }),
  wgEasyPassword: secret('WG_EASY_PASSWORD', {
    doc: 'Password of wg-easy itself, not the hash that its PASSWORD_HASH has. In single quotes where it has a $: shells and compose files take what follows one for a variable.',
  }),
  wgEasyUsername: standard('WG_EASY_USERNAME', text(255), 'admin', {
    doc: 'Whose password it is, from wg-easy 15 on; one without two-factor authentication.',
  }),
  wgEasyAuth: standard('WG_EASY_AUTH', oneOf('auto', 'basic', 'raw', 'session', 'bearer'), 'auto' as const, {
    doc: 'How wg-easy is told the password: by whichever way works, HTTP Basic (15), the Authorization header as it is (12 to 14), a session (any), or as a Bearer token.',
  }),
  wgEasyNetworks: standard('WG_EASY_NETWORKS', list(network(0, 0, 128)), [] as readonly string[], {
    doc: 'Networks in which wg-easy may be although they are not public.',
    example: '10.20.0.8',
  }),

  // the databases under the mesh
  pgmonNetworks: standard('BOSON_PGMON_NETWORKS', list(network(0, 0, 128)), [] as readonly string[], {
    doc: 'Networks in which monitored PostgreSQL servers, and their machines by SSH, may be although they are not public. The coordinator’s own database needs no entry.',
    example: '10.20.0.0/16',
  }),

  wgHostSsh: optional('WG_HOST_SSH', sshAddress, {
    doc: 'WireGuard host that is reached by SSH, with the scripts of scripts/wireguard-host on it.',
    example: 'boson@vpn.example.org:22',
  }),
  wgApplyEnabled: standard('WG_APPLY_ENABLED', yesNo, false, {
    doc: 'Lets peers be made on the WireGuard host, and taken away. Without it they wait.',
  }),
  wgSshKey: optional('WG_SSH_KEY', path, {
    doc: 'Private key for the WireGuard host, without a passphrase; nobody but its owner may read the file.',
    example: '/etc/boson/wireguard-host.key',
  }),
  wgSshHostKey: optional(
    'WG_SSH_HOST_KEY',
    matching(/^SHA256:[A-Za-z0-9+/]{43}$/, 'a fingerprint as `ssh-keygen -lf` prints it, SHA256:…'),
    {
      doc: 'Fingerprint of the WireGuard host’s own Ed25519 key. Without it nothing is told to the host: the log and `boson doctor` say which key it shows.',
      example: 'SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8',
    },
  ),
  wgInterface: standard(
    'WG_INTERFACE',
    matching(/^[a-z][a-z0-9_-]{0,14}$/, 'a name of at most 15 of a-z 0-9 _ - beginning with a letter'),
    'wg0',
    { doc: 'Interface of the WireGuard host.' },
  ),
  wgPool4: optional('WG_POOL4', network(4, 8, 30), {
    doc: 'IPv4 addresses for the peers of the WireGuard host; the first one is its own.',
    example: '10.8.0.0/24',
  }),
  wgPool6: optional('WG_POOL6', network(6, 8, 96), {
    doc: 'IPv6 addresses for the peers of the WireGuard host, beside those of WG_POOL4.',
    example: 'fd08::/64',
  }),
  wgEndpoint: optional('WG_ENDPOINT', hostPort, {
    doc: 'Where peers find the WireGuard host. When not set: the host of WG_HOST_SSH, at the port of its interface.',
    example: 'vpn.example.org:51820',
  }),
  wgAllowedIps: standard(
    'WG_ALLOWED_IPS',
    list(network(0, 0, 128)),
    ['0.0.0.0/0', '::/0'] as readonly string[],
    {
      doc: 'What peers of the WireGuard host send through it.',
    },
  ),
  wgDns: standard('WG_DNS', list(ipAddress), [] as readonly string[], {
    doc: 'Name servers that peers of the WireGuard host use.',
    example: '10.8.0.1',
  }),
  wgApplyScript: standard('WG_APPLY_SCRIPT', scriptPath, '/usr/local/lib/boson/wg_apply.sh', {
    doc: 'Where scripts/wireguard-host/wg_apply.sh is on the WireGuard host.',
  }),
  wgRemoveScript: standard('WG_REMOVE_SCRIPT', scriptPath, '/usr/local/lib/boson/wg_remove.sh', {
    doc: 'Where scripts/wireguard-host/wg_remove.sh is on the WireGuard host.',
  }),
  wgGenScript: optional('WG_GEN_SCRIPT', scriptPath, {
    doc: 'Where scripts/wireguard-host/wg_gen_key.sh is on the WireGuard host: peers that were paid for and have sent no key get one from there.',
    example: '/usr/local/lib/boson/wg_gen_key.sh',
  }),

  // what it says
  logLevel: standard(
    'LOG_LEVEL',
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'),
    'info' as const,
    { doc: 'The least important lines that are written.' },
  ),
}

export type SettingKey = keyof typeof SETTINGS
