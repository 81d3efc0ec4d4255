/** The small parts that every view uses. Text goes in as text: nothing here, or anywhere in the page, makes markup of data. */
import type { ComponentChildren } from 'preact'
import { to } from '../route.js'
import { nowMs } from './clock.js'
import { duration, moment, UNKNOWN } from './format.js'
import type { Tone } from './tone.js'

export type { Tone }

export const Tag = ({ tone = 'plain', children }: { tone?: Tone; children: ComponentChildren }) => (
  <span class="tag" data-tone={tone}>
    {children}
  </span>
)

export const Dot = ({ tone, label }: { tone: Tone; label: string }) => (
  <span class="dot" data-tone={tone} role="img" aria-label={label} title={label} />
)

/** The head of a view. */
export const Heading = (props: {
  title: ComponentChildren
  about?: ComponentChildren
  children?: ComponentChildren
}) => (
  <header class="heading">
    <h1>{props.title}</h1>
    {props.about !== undefined && <span class="heading-about">{props.about}</span>}
    {props.children !== undefined && <div class="heading-end">{props.children}</div>}
  </header>
)

export const Panel = (props: {
  title: ComponentChildren
  about?: ComponentChildren
  end?: ComponentChildren
  /** The content goes to the edges: a table, a drawing. */
  flush?: boolean
  children: ComponentChildren
}) => (
  <section class="panel">
    <div class="panel-head">
      <h2>{props.title}</h2>
      {props.about !== undefined && <span class="about">{props.about}</span>}
      {props.end !== undefined && <span class="end">{props.end}</span>}
    </div>
    <div class={props.flush === true ? 'panel-body flush' : 'panel-body'}>{props.children}</div>
  </section>
)

export const Stat = (props: { label: string; about?: ComponentChildren; children: ComponentChildren }) => (
  <div class="stat">
    <dt>{props.label}</dt>
    <dd>{props.children}</dd>
    <dd class="about">{props.about}</dd>
  </div>
)

export const Facts = ({ of }: { of: readonly (readonly [name: string, value: ComponentChildren])[] }) => (
  <dl class="facts">
    {of.map(([name, value]) => [
      <dt key={name}>{name}</dt>,
      <dd key={`${name}=`}>{value === null || value === undefined || value === '' ? UNKNOWN : value}</dd>,
    ])}
  </dl>
)

/** An actor’s name, one click from the actor. */
export const ActorLink = ({ id, children }: { id: string; children?: ComponentChildren }) => (
  <a class="mono" href={to(['actors', id])}>
    {children ?? id}
  </a>
)

/** How long ago something was, growing while one looks; the moment itself as a hint. */
export const Ago = ({ atMs }: { atMs: number | null | undefined }) =>
  typeof atMs === 'number' ? (
    <time dateTime={new Date(atMs).toISOString()} title={moment(atMs, nowMs.value)}>
      {nowMs.value - atMs < 1000 ? '0 s' : duration(Math.floor((nowMs.value - atMs) / 1000) * 1000)}
    </time>
  ) : (
    <span>{UNKNOWN}</span>
  )

/** Said where there is nothing to show: why, and what to do next. */
export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="empty">
    <h2>{title}</h2>
    {children !== undefined && <p>{children}</p>}
  </div>
)

export const Fault = ({ children }: { children: ComponentChildren }) => (
  <p class="fault" role="alert">
    {children}
  </p>
)
