/** One route: why it leads where it leads, what it has been through, and how it would be decided now. */
import { useSignal } from '@preact/signals'
import type { RouteStory } from '../../../actors/ports.js'
import { movedWords, stayedWords } from '../../../mesh/route-words.js'
import { useView } from '../live/hooks.js'
import { to } from '../route.js'
import { Candidates } from '../routing/candidates.js'
import { WhatIf } from '../routing/what-if.js'
import { isWeighted, steeringWords, wishWords, Words } from '../routing/wish.js'
import { count, duration, moment, plural } from '../ui/format.js'
import { ActorLink, Ago, Empty, Facts, Fault, Heading, Panel } from '../ui/parts.js'
import { Tier } from '../ui/tier.js'
import { viaWords } from '../ui/words.js'

/** Nodes of a decision that a table still shows. */
const ROWS = 50
/** To weigh every node costs more than to look at one: it is not done each second. ms */
const EVERY_MS = 3000

export function OneRoute({ id }: { readonly id: string }) {
  const {
    value: story,
    fault,
    status,
  } = useView<RouteStory>(
    `/api/v1/routes/${encodeURIComponent(id)}/explanation?now=true&limit=${ROWS}`,
    EVERY_MS,
  )
  if (story === null)
    return fault === null ? <Heading title="Route" /> : <Gone id={id} fault={fault} status={status} />
  return (
    <>
      <Heading
        title={
          <>
            <span class="mono">{story.clientId}</span> → <span class="mono">{story.nodeId}</span>
          </>
        }
        about={<>route {story.routeId}</>}
      >
        <a class="button" href={to(['paths', String(story.link)])}>
          Path
        </a>
        <a class="button" href={to(['actors', `client/${story.clientId}`])}>
          Client
        </a>
        <a class="button" href={to(['actors', `node/${story.nodeId}`])}>
          Node
        </a>
      </Heading>
      {fault !== null && <Fault>{fault}</Fault>}
      <Waiting story={story} />
      <div class="columns">
        <Panel title="The route">
          <Standing story={story} />
        </Panel>
        <Panel title="Moves" about="the newest first">
          <Moves story={story} />
        </Panel>
      </div>
      <Decisions story={story} />
      <WhatIf key={story.clientId} clientId={story.clientId} />
    </>
  )
}

function Gone({
  id,
  fault,
  status,
}: {
  readonly id: string
  readonly fault: string
  readonly status: number
}) {
  if (status !== 404) return <Fault>{fault}</Fault>
  return (
    <>
      <Heading title="Route" about={<span class="mono">{id}</span>} />
      <section class="panel">
        <Empty title="This route does not stand">
          The coordinator says: {fault}. It may have ended: a route ends with its client’s session, or when
          the client needs it no more. Look in <a href={to(['routes'])}>all routes</a>, or ask{' '}
          <a href={to(['why'])}>why two are connected as they are</a>.
        </Empty>
      </section>
    </>
  )
}

function Waiting({ story: { waiting, nodeId } }: { readonly story: RouteStory }) {
  if (waiting === null) return null
  const { cause, sinceMs, remainingMs } = waiting
  return (
    <p class="notice" role="status">
      It has to leave {nodeId}, because {movedWords(cause)}, since <Ago atMs={sinceMs} />, and no other node
      qualifies.{' '}
      {remainingMs === null
        ? 'It stays until one does.'
        : `It ends in ${duration(remainingMs)} unless one does.`}
    </p>
  )
}

function Standing({ story }: { readonly story: RouteStory }) {
  const { tier, via, wish, steering, alternatives, history, assignedAtMs, nowMs } = story
  return (
    <Facts
      of={[
        [
          'Travels',
          <>
            <Tier tier={tier} /> {via !== null && <span class="quiet">by {viaWords(via)}</span>}
          </>,
        ],
        ['Asked for', <Words of={wishWords(wish)} none="nothing: any node will do" />],
        ['Steered', <Words of={steeringWords(steering)} none="not at all" />],
        ['Decided', <When atMs={history.decidedAtMs} nowMs={nowMs} />],
        ...(history.decidedAtMs === assignedAtMs
          ? []
          : ([['First given', <When atMs={assignedAtMs} nowMs={nowMs} />]] as const)),
        [
          'Next in line',
          alternatives.length === 0 ? (
            <span class="quiet">nobody: when this node goes, every other is looked at</span>
          ) : (
            <span class="mesh-names">
              {alternatives.map(each => (
                <ActorLink key={each} id={`node/${each}`}>
                  {each}
                </ActorLink>
              ))}
            </span>
          ),
        ],
      ]}
    />
  )
}

const When = ({ atMs, nowMs }: { readonly atMs: number; readonly nowMs: number }) => (
  <>
    <Ago atMs={atMs} /> ago <span class="quiet">({moment(atMs, nowMs)})</span>
  </>
)

function Moves({ story: { history, nowMs } }: { readonly story: RouteStory }) {
  const { moved, moves, stayed } = history
  const stays = Object.entries(stayed)
  return (
    <>
      {moves.length === 0 ? (
        <p class="quiet">It has never moved.</p>
      ) : (
        <ol class="timeline">
          {moves.toReversed().map(({ atMs, from, to: next, cause }) => (
            <li key={`${atMs} ${from} ${next}`}>
              <p>
                <span class="mono">{from}</span> → <span class="mono">{next}</span>
              </p>
              <p class="quiet">
                <When atMs={atMs} nowMs={nowMs} />: {movedWords(cause)}
              </p>
            </li>
          ))}
        </ol>
      )}
      {moved > moves.length && <p class="quiet">… moved {count(moved)} times in all</p>}
      {stays.length > 0 && (
        <>
          <p class="panel-note">It could have moved, and stayed:</p>
          <ul class="words">
            {stays.map(([why, number]) => (
              <li key={why}>
                {plural(number, 'time')}: {stayedWords(why)}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  )
}

/** Beside each other where there is room; else one of them. */
function Decisions({ story }: { readonly story: RouteStory }) {
  const shown = useSignal<'then' | 'now'>('then')
  const { explanation, now, nodeId, wish, steering } = story
  const weighted = isWeighted(wish, steering)
  const choices = [
    ['then', 'As it was decided'],
    ['now', 'As it would be now'],
  ] as const
  return (
    <div class="versions" data-shown={shown.value}>
      <div class="versions-choice">
        {choices.map(([which, label]) => (
          <button
            key={which}
            type="button"
            class="button"
            aria-pressed={shown.value === which}
            onClick={() => {
              shown.value = which
            }}
          >
            {label}
          </button>
        ))}
      </div>
      <div data-version="then">
        <Panel title="As it was decided" flush>
          <Candidates explanation={explanation} standing={nodeId} isWeighted={weighted} />
        </Panel>
      </div>
      <div data-version="now">
        <Panel title="As it would be now" flush>
          {now === null ? (
            <Empty title="Not asked for" />
          ) : (
            <Candidates explanation={now} standing={nodeId} isWeighted={weighted} />
          )}
        </Panel>
      </div>
    </div>
  )
}
