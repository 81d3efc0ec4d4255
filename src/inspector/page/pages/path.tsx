/** One live path, and its round trip and loss while one looks. */
import { useRef } from 'preact/hooks'
import type { PathStory } from '../../../actors/ports.js'
import { useView } from '../live/hooks.js'
import { Story } from '../path/story.js'
import { to } from '../route.js'
import { ms, percent } from '../ui/format.js'
import { useHistory } from '../ui/history.js'
import { Empty, Fault, Heading, Panel } from '../ui/parts.js'
import { Plot, PlotKey } from '../ui/plot.js'

export function OnePath({ id }: { readonly id: string }) {
  const { value: story, fault, status } = useView<PathStory>(`/api/v1/paths/${encodeURIComponent(id)}`)
  const last = useRef<PathStory | null>(null)
  if (story !== null) last.current = story
  if (story === null)
    return fault === null ? (
      <Heading title="Path" />
    ) : (
      <Gone id={id} fault={fault} status={status} last={last.current} />
    )
  return (
    <>
      <Heading
        title={
          <>
            <span class="mono">{story.clientId}</span> → <span class="mono">{story.nodeId}</span>
          </>
        }
        about={`path on link ${story.link}`}
      >
        <a class="button" href={to(['routes', story.routeId])}>
          Route
        </a>
        <a class="button" href={to(['actors', `path/${story.link}`])}>
          Actor
        </a>
        <a class="button" href={whyAddress(story)}>
          Earlier paths
        </a>
      </Heading>
      {fault !== null && <Fault>{fault}</Fault>}
      <Story story={story} more={<Plots story={story} />} />
    </>
  )
}

const whyAddress = ({ clientId, nodeId }: Pick<PathStory, 'clientId' | 'nodeId'>): string =>
  to(['why'], { a: clientId, b: nodeId })

function Plots({ story }: { readonly story: PathStory }) {
  const rtt = useHistory(
    story,
    ({ ends }) => ends.client.rttMs,
    ({ ends }) => ends.node.rttMs,
  )
  const loss = useHistory(
    story,
    ({ ends }) => ends.client.lossPct,
    ({ ends }) => ends.node.lossPct,
  )
  const lines = [
    { label: 'client says', colour: 'accent' },
    { label: 'node says', colour: 'turned' },
  ]
  return (
    <div class="columns">
      <Panel
        title="RTT"
        about={aboutOf('ms', story.ends.client.rttMs ?? story.ends.node.rttMs)}
        end={<PlotKey lines={lines} />}
      >
        <Plot label="Round trip" lines={lines} points={rtt} unit={ms} />
      </Panel>
      <Panel
        title="Loss"
        about={aboutOf('%', story.ends.client.lossPct ?? story.ends.node.lossPct)}
        end={<PlotKey lines={lines} />}
      >
        <Plot label="Loss" lines={lines} points={loss} unit={percent} />
      </Panel>
    </div>
  )
}

const aboutOf = (unit: string, figure: number | null): string =>
  figure === null ? 'no end reports it now' : `while one looks, ${unit}`

function Gone(props: {
  readonly id: string
  readonly fault: string
  readonly status: number
  /** As it was last seen. */
  readonly last: PathStory | null
}) {
  const { id, fault, status, last } = props
  if (status !== 404) return <Fault>{fault}</Fault>
  return (
    <>
      <Heading title="Path" about={`on link ${id}`} />
      <section class="panel">
        <Empty title="This path is not live">
          It has ended, or never was. {last === null ? 'Ask ' : 'See '}
          {last === null ? (
            <a href={to(['why'])}>why two are connected as they are</a>
          ) : (
            <a href={whyAddress(last)}>
              all paths between {last.clientId} and {last.nodeId}
            </a>
          )}
          , which knows ended ones too, or look in <a href={to(['paths'])}>all live paths</a>.
        </Empty>
      </section>
    </>
  )
}
