/** All that is known of a path: how it travels and why not better, both its ends, what was tried, what it carried. */
import type { ComponentChildren } from 'preact'
import type { PathEndView, PathStay, PathStory } from '../../../actors/ports.js'
import { natInWords } from '../../../mesh/nat-words.js'
import { endpointText } from '../../../protocol/address.js'
import { to } from '../route.js'
import { bytes, duration, moment, ms, percent } from '../ui/format.js'
import { nowMs } from '../ui/clock.js'
import { ActorLink, Ago, Empty, Facts, Panel, Tag } from '../ui/parts.js'
import { Tier } from '../ui/tier.js'
import { reasonWords, tierLabel, toneOfState, viaWords } from '../ui/words.js'
import { Attempts } from './attempts.js'

/** `more`: what is shown beside how it travels. */
export function Story({ story, more }: { readonly story: PathStory; readonly more?: ComponentChildren }) {
  return (
    <>
      <Travels story={story} />
      {more}
      <Panel title="Tiers" about="since the path was opened">
        <Stays story={story} />
      </Panel>
      <div class="columns">
        <End title="Client" kind="client" end={story.ends.client} />
        <End title="Node" kind="node" end={story.ends.node} />
      </div>
      <div class="columns">
        <Panel title="Carried" about="by tier and direction">
          <Carried story={story} />
        </Panel>
        <Panel title="The path">
          <Facts
            of={[
              ['Route', <a href={to(['routes', story.routeId])}>{story.routeId}</a>],
              ['Policy', story.policy],
              ['Opened', <Moment atMs={story.openedAtMs} />],
              ...(story.closedAtMs === null
                ? []
                : ([
                    ['Closed', <Moment atMs={story.closedAtMs} />],
                    ['Because', story.closedBecause],
                  ] as const)),
              ['RTT', ms(story.rttMs)],
              ['Loss', percent(story.lossPct)],
            ]}
          />
        </Panel>
      </div>
      <Panel title="Attempts to leave the relay" about="the newest first" flush>
        <Attempts story={story} />
      </Panel>
    </>
  )
}

export const Moment = ({ atMs }: { readonly atMs: number }) => (
  <>
    <Ago atMs={atMs} /> ago <span class="quiet">({moment(atMs, nowMs.value)})</span>
  </>
)

/** The answer: how packets travel, why not better, and what would change that. */
function Travels({
  story: { tier, via, reason, words, sinceMs, closedBecause },
}: {
  readonly story: PathStory
}) {
  const [why, ...changes] = (words ?? '').split('; ')
  return (
    <section class="panel answer" data-tier={tier}>
      <p class="answer-tier">
        <Tier tier={tier} />
        <span class="quiet">
          {via !== null && `by ${viaWords(via)}, `}for <Ago atMs={sinceMs} />
        </span>
      </p>
      {tier === 'direct' && <p>Packets go straight from one to the other: there is no better way.</p>}
      {tier === 'closed' && <p>It was closed: {closedBecause ?? 'nobody said why'}.</p>}
      {reason !== null && tier !== 'direct' && (
        <>
          <p class="answer-why">
            {reasonWords(reason)}
            {why !== undefined && why !== '' && `: ${why}.`}
          </p>
          {changes.length > 0 && (
            <p>
              <b>What would change that:</b> {changes.join('; ')}.
            </p>
          )}
        </>
      )}
    </section>
  )
}

function Stays({ story }: { readonly story: PathStory }) {
  const last = story.closedAtMs ?? nowMs.value
  const now: PathStay = { ...story, fromMs: story.sinceMs, untilMs: last }
  const stays = story.tier === 'closed' ? story.history : [...story.history, now]
  const began = stays[0]?.fromMs ?? story.openedAtMs
  if (stays.length === 0) return <Empty title="It has never carried anything" />
  return (
    <>
      <div class="stays" aria-hidden="true">
        {stays.map(stay => (
          <span
            key={stay.fromMs}
            data-tier={stay.tier}
            title={`${tierLabel(stay.tier)} for ${duration(stay.untilMs - stay.fromMs)}`}
            style={{ flexGrow: Math.max(1, stay.untilMs - stay.fromMs) }}
          />
        ))}
      </div>
      <p class="stays-ends quiet">
        <span>{moment(began, nowMs.value)}</span>
        <span>{story.closedAtMs === null ? 'now' : moment(story.closedAtMs, nowMs.value)}</span>
      </p>
      <ol class="stay-list">
        {stays.toReversed().map(({ tier, via, reason, fromMs, untilMs }) => (
          <li key={fromMs}>
            <Tier tier={tier} />
            <span class="quiet">
              {via !== null && `by ${viaWords(via)}, `}for {duration(Math.max(0, untilMs - fromMs))}
              {', '}
              from {moment(fromMs, nowMs.value)}
              {reason !== null && `: ${reasonWords(reason)}`}
            </span>
          </li>
        ))}
      </ol>
    </>
  )
}

function End({
  title,
  kind,
  end,
}: {
  readonly title: string
  readonly kind: 'client' | 'node'
  readonly end: PathEndView
}) {
  const { id, state, nat, can, rttMs, lossPct, reportedAtMs, candidates } = end
  const mapped = [nat.mapped4, nat.mapped6].flatMap(at => (at === null ? [] : [endpointText(at)]))
  return (
    <Panel title={title} about={<ActorLink id={`${kind}/${id}`}>{id}</ActorLink>}>
      <Facts
        of={[
          [
            'State',
            state === null ? <Tag tone="bad">no session</Tag> : <Tag tone={toneOfState(state)}>{state}</Tag>,
          ],
          ['NAT', natInWords(nat)],
          ['Seen from outside', mapped.length === 0 ? null : <span class="mono">{mapped.join(' ')}</span>],
          ['Ways off the relay', wayWords(can)],
          ['RTT', ms(rttMs)],
          ['Loss', percent(lossPct)],
          ['Reported', reportedAtMs === null ? null : <Moment atMs={reportedAtMs} />],
          [
            'Candidates',
            candidates.length === 0 ? null : (
              <ul class="words mono">
                {candidates.map(each => (
                  <li key={each}>{each}</li>
                ))}
              </ul>
            ),
          ],
        ]}
      />
    </Panel>
  )
}

const WAYS: Readonly<Record<string, string>> = {
  udp: 'UDP',
  wireguard: 'WireGuard’s own socket',
  ice: 'ICE',
}

/** Returns by what the agent can leave the relay; to probe a NAT is no way off. */
const wayWords = (can: PathEndView['can']): string =>
  can.flatMap(each => WAYS[each] ?? []).join(', ') || 'none that it says'

function Carried({ story: { bytes: carried } }: { readonly story: PathStory }) {
  const { toNode, toClient } = carried
  const tiers = (['direct', 'turned', 'relayed'] as const).filter(tier => toNode[tier] + toClient[tier] > 0)
  const most = Math.max(1, ...tiers.flatMap(tier => [toNode[tier], toClient[tier]]))
  if (tiers.length === 0)
    return <Empty title="Nothing so far">The ends report what they carry every few seconds.</Empty>
  return (
    <div class="carried">
      {tiers.flatMap(tier =>
        (
          [
            ['to the node', toNode[tier]],
            ['to the client', toClient[tier]],
          ] as const
        ).map(([where, size]) => (
          <div key={`${tier} ${where}`} class="carried-row">
            <Tier tier={tier} />
            <span class="quiet">{where}</span>
            <span class="carried-bar" data-tier={tier}>
              <span style={{ width: `${(100 * size) / most}%` }} />
            </span>
            <span class="carried-size">{bytes(size)}</span>
          </div>
        )),
      )}
    </div>
  )
}
