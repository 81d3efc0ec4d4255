/** How servers and what they tell are drawn, as every view shows it. */
import type { ComponentChildren } from 'preact'
import { to } from '../route.js'
import { Takeaway } from '../ui/copy.js'
import { Dot, Tag } from '../ui/parts.js'
import type { Concern } from './concerns.js'
import type { Status } from './kinds.js'
import { mended, millions, oneLine, STATUS_WORDS } from './words.js'

export const StatusTag = ({ of }: { readonly of: Status }) => {
  const { word, tone } = STATUS_WORDS[of]
  return <Tag tone={tone}>{word}</Tag>
}

export const ServerLink = ({ name, part }: { readonly name: string; readonly part?: string }) => (
  <a href={to(['databases', name, ...(part === undefined ? [] : [part])])}>{name}</a>
)

/** From these shares on a meter is worth a look. */
const METER = { warn: 0.8, bad: 0.95 }

/** A figure with a bar below that shows which share of its limit it is; no bar where that is not known. */
export const Meter = (props: {
  readonly label: string
  readonly share: number | null
  readonly children: ComponentChildren
}) => {
  const { label, share, children } = props
  return (
    <span class="meter">
      <span>{children}</span>
      {share !== null && (
        <span
          class="meter-bar"
          role="meter"
          aria-label={label}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(share * 100)}
          data-state={share >= METER.bad ? 'bad' : share >= METER.warn ? 'warn' : 'fine'}
        >
          <span style={{ width: `${Math.min(100, Math.max(0, share * 100))}%` }} />
        </span>
      )}
    </span>
  )
}

/** Transactions: at so many PostgreSQL stops, to lose nothing. */
const FREEZE_AT = 2_000_000_000
export const FREEZE_ABOUT = 'Transactions since its oldest row was frozen; at 2,000 million it stops'

/** How far something is on the way to that. */
export const FreezeAge = ({ of }: { readonly of: number | null }) => (
  <Meter label="On the way to a stop" share={of === null ? null : of / FREEZE_AT}>
    {millions(of)}
  </Meter>
)

/** A share of a whole that has no limit: of all statements’ time. */
export const Share = ({ of }: { readonly of: number }) => (
  <span class="meter-bar" aria-hidden="true" data-state="fine">
    <span style={{ width: `${Math.min(100, of * 100)}%` }} />
  </span>
)

/** A query as text: its beginning, and all of it when one opens it. */
export const Query = ({ of, none }: { readonly of: string | null; readonly none?: string }) => {
  if (of === null || of === '')
    return <span class="quiet">{of === null ? (none ?? 'not to be seen') : ''}</span>
  const line = oneLine(of)
  if (line === of && line.length <= SHORT) return <code class="query-short">{of}</code>
  return (
    <details class="query">
      <summary title="Show all of it">
        <code>{line}</code>
      </summary>
      <pre>{of}</pre>
    </details>
  )
}
/** What is shown whole without a fold, characters. */
const SHORT = 48

/** What is wrong, worst first, each with the way to where one sees more. */
export const Concerns = ({
  of,
}: {
  readonly of: readonly { readonly server: string; readonly isNamed: boolean; readonly concern: Concern }[]
}) => (
  <ul class="concerns">
    {of.map(({ server, isNamed, concern: { tone, what, part } }) => (
      <li key={`${server} ${what}`} data-tone={tone}>
        <Dot tone={tone} label={tone === 'bad' ? 'Bad' : 'Worth a look'} />
        <span>
          {isNamed && (
            <>
              <ServerLink name={server} />:{' '}
            </>
          )}
          {what}
          {part !== undefined && (
            <>
              {' '}
              · <a href={to(['databases', server, part])}>{PART_WORDS[part]}</a>
            </>
          )}
        </span>
      </li>
    ))}
  </ul>
)

const PART_WORDS = { activity: 'Activity', locks: 'Locks', databases: 'Databases' } as const

/** What is missing, in words; the statement that mends it can be copied. */
export const Mended = ({ children }: { readonly children: string }) => {
  const { words, sql } = mended(children)
  return (
    <>
      <span class="prose">{words.map((text, i) => (i % 2 === 1 ? <code key={i}>{text}</code> : text))}</span>
      {sql !== null && <Takeaway text={sql} />}
    </>
  )
}
