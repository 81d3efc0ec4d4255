/** What `boson why` and `boson paths` print. */
import t from 'tap'
import type { PathStory, PathTrial, PathView, WhyView } from '../../src/actors/ports.js'
import { pathsPage } from '../../src/app/commands/paths.js'
import { whyPage } from '../../src/app/commands/why.js'
import { UNKNOWN_NAT } from '../../src/mesh/nat.js'
import { NOW_MS } from '../store/samples.js'

const view: PathView = {
  pathId: 'r-1:65536:1',
  link: 65_536,
  routeId: 'r-1',
  clientId: 'alice',
  nodeId: 'fra-1',
  policy: 'auto',
  tier: 'relayed',
  via: 'websocket',
  sinceMs: NOW_MS - 7_800_000,
  reason: 'symmetric_both',
  openedAtMs: NOW_MS - 7_801_000,
  closedAtMs: null,
  closedBecause: null,
  rttMs: 41,
  lossPct: 0,
  bytes: {
    toNode: { relayed: 1_234_567, turned: 0, direct: 870 },
    toClient: { relayed: 34_400_000, turned: 0, direct: 0 },
  },
  attempted: 2,
}

const failed: PathTrial = {
  outcome: 'failed',
  local: null,
  remote: null,
  rttMs: null,
  cause: 'no_answer',
  tried: [],
  lost: null,
}

const story: PathStory = {
  ...view,
  words:
    'both NATs map per destination; open UDP 51820 on one side and start its agent with --port 51820, or give both sides IPv6',
  ends: {
    client: {
      id: 'alice',
      state: 'online',
      nat: {
        ...UNKNOWN_NAT,
        udp: 'open',
        mapping: 'address_and_port_dependent',
        filtering: 'address_and_port_dependent',
        nat: true,
        mapped4: { address: '198.51.100.9', port: 40_112 },
      },
      can: ['udp'],
      rttMs: 41,
      lossPct: 0,
      reportedAtMs: NOW_MS - 12_000,
      candidates: ['host 192.168.1.4:51820', 'srflx 198.51.100.9:40112'],
    },
    node: {
      id: 'fra-1',
      state: null,
      nat: UNKNOWN_NAT,
      can: [],
      rttMs: null,
      lossPct: null,
      reportedAtMs: null,
      candidates: [],
    },
  },
  attempts: [
    {
      attempt: 1,
      via: 'udp',
      atMs: NOW_MS - 7_700_000,
      client: {
        ...failed,
        outcome: 'direct',
        cause: null,
        local: 'host 192.168.1.4:51820',
        remote: 'srflx 203.0.113.80:33001',
        rttMs: 12.4,
        lost: { atMs: NOW_MS - 7_000_000, cause: 'silent' },
      },
      node: null,
    },
    {
      attempt: 2,
      via: 'udp',
      atMs: NOW_MS - 240_000,
      client: { ...failed, tried: ['host 192.168.1.4:51820 → srflx 203.0.113.80:33001: no answer'] },
      node: failed,
    },
  ],
  history: [
    {
      tier: 'opening',
      via: null,
      reason: 'starting',
      fromMs: NOW_MS - 7_801_000,
      untilMs: NOW_MS - 7_800_000,
    },
  ],
}

const ended: PathStory = {
  ...story,
  pathId: 'r-0:65535:1',
  tier: 'closed',
  via: null,
  openedAtMs: NOW_MS - 90_000_000,
  closedAtMs: NOW_MS - 86_400_000,
  closedBecause: 'the node left',
  history: [
    { tier: 'direct', via: 'udp', reason: null, fromMs: NOW_MS - 90_000_000, untilMs: NOW_MS - 86_400_000 },
  ],
}

const answer = (parts: Partial<WhyView>): WhyView => ({
  nowMs: NOW_MS,
  words: `alice and fra-1: relayed, because ${story.words}`,
  paths: [],
  complete: true,
  ...parts,
})

t.test('the answer comes first, then everything that it rests on', async t => {
  t.same(whyPage(answer({ paths: [story, ended] })).split('\n'), [
    'alice and fra-1: relayed, because both NATs map per destination; open UDP 51820 on one side and start its agent with --port 51820, or give both sides IPv6',
    '',
    'alice → fra-1   relayed   via websocket   since 2 h 10 min   reason symmetric_both   policy auto   RTT 41 ms   loss 0 %',
    '',
    'END    STATE       NAT                                             SEEN AT               RTT  LOSS  REPORTED',
    'alice  online      maps per destination, lets in ports it sent to  198.51.100.9:40112  41 ms   0 %  12 s ago',
    'fra-1  no session  not known                                       -                       -     -  -',
    'alice can be reached at: host 192.168.1.4:51820, srflx 198.51.100.9:40112',
    '',
    'CARRIED  → NODE  → CLIENT',
    'relayed  1.2 MB     34 MB',
    'direct    870 B       0 B',
    '',
    'ATTEMPT  VIA  WHEN           END    OUTCOME       CAUSE      PAIR                                                 RTT',
    '      2  udp  4 min ago      alice  failed        no_answer  -                                                      -',
    '      2  udp  4 min ago      fra-1  failed        no_answer  -                                                      -',
    '      1  udp  2 h 8 min ago  alice  direct, lost  silent     host 192.168.1.4:51820 → srflx 203.0.113.80:33001  12 ms',
    '      1  udp  2 h 8 min ago  fra-1  said nothing  -          -                                                      -',
    'alice tried in attempt 2:',
    '  host 192.168.1.4:51820 → srflx 203.0.113.80:33001: no answer',
    '',
    'WAS      VIA  FROM (UTC)           FOR  REASON',
    'opening  -    2026-11-21 07:29:59  1 s  starting',
    '',
    'Before that:',
    '  2026-11-20 08:40:00  last direct, closed 1 d 0 h ago: the node left',
  ])
})

t.test('a pair without a path is answered in one line', async t => {
  const words = 'no path between alice and fra-1 is known'
  t.equal(whyPage(answer({ words })), words)
  t.match(whyPage(answer({ words, complete: false })), 'The database is away')
})

t.test('a path that has just begun has no empty tables', async t => {
  const none = { relayed: 0, turned: 0, direct: 0 }
  const young = { ...story, bytes: { toNode: none, toClient: none }, attempts: [], history: [] }
  const page = whyPage(answer({ paths: [young] }))
  t.notMatch(page, /CARRIED|ATTEMPT|WAS/)
})

t.test('paths as a table, with what meets the wish in all', async t => {
  const direct = {
    ...view,
    clientId: 'bob',
    tier: 'direct',
    via: 'udp',
    reason: null,
    rttMs: null,
    attempted: 0,
  } as const
  t.same(
    pathsPage({ nowMs: NOW_MS, paths: [view, direct], count: 2, total: 7, next: 'WzddXQ' }).split('\n'),
    [
      'CLIENT  NODE   PATH     VIA        SINCE       WHY             TRIED    RTT  LOSS  → NODE  → CLIENT',
      'alice   fra-1  relayed  websocket  2 h 10 min  symmetric_both    2 ×  41 ms   0 %  1.2 MB     34 MB',
      'bob     fra-1  direct   udp        2 h 10 min  -                   -      -   0 %  1.2 MB     34 MB',
      '… 2 of 7; the next ones: --after WzddXQ',
    ],
  )
  t.equal(pathsPage({ nowMs: NOW_MS, paths: [], count: 0, total: 0, next: null }), 'no paths')
})
