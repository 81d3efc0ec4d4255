/** What the coordinator logs, as it does: filtered there, and every actor that a line names is one click away. */
import { useSignal } from '@preact/signals'
import type { OperatorWireOf } from '../../../protocol/operator.js'
import { useFollow, useView } from '../live/hooks.js'
import { may } from '../live/who.js'
import { route } from '../route.js'
import { Act, logLevel } from '../ui/actions.js'
import { nowMs } from '../ui/clock.js'
import { Choice, TextFilter } from '../ui/filters.js'
import { count, moment } from '../ui/format.js'
import { ActorLink, Empty, Fault, Heading, Tag, type Tone } from '../ui/parts.js'

/** A line as the coordinator has written it; what else there is differs from line to line. */
interface LogLine {
  readonly seq: number
  readonly atMs: number
  readonly level: Level
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

type Level = NonNullable<OperatorWireOf<'operator.follow'>['level']>

const LEVELS: readonly Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
const TONES: Readonly<Partial<Record<Level, Tone>>> = {
  warn: 'warn',
  error: 'bad',
  fatal: 'bad',
  info: 'accent',
}

/** Lines that are shown at most: the oldest go. */
const MOST = 500

export function Log() {
  const { level, search } = route.value.query
  const isKnown = LEVELS.includes(level as Level)
  const { events, dropped, ended } = useFollow<LogLine>(
    {
      topic: 'log',
      ...(isKnown && { level: level as Level }), // it is one of them
      ...(search !== undefined && { search }),
    },
    MOST,
  )
  const isHeld = useSignal<readonly LogLine[] | null>(null)
  const { value: levels } = useView<{ readonly level: string }>('/api/v1/log-level', 5000)
  const lines = isHeld.value ?? events
  return (
    <>
      <Heading title="Log" about="what the coordinator writes, the newest first">
        {may('operator') && levels !== null && (
          <Act question={{ ...logLevel(levels.level), verb: 'Log level' }} />
        )}
        <button
          type="button"
          class="button"
          aria-pressed={isHeld.value !== null}
          onClick={() => {
            isHeld.value = isHeld.peek() === null ? events : null
          }}
        >
          {isHeld.value === null ? 'Hold' : 'Go on'}
        </button>
      </Heading>
      <div class="filters">
        <Choice
          name="level"
          label="At least"
          any="info"
          options={LEVELS.filter(each => each !== 'info').map(each => [each, each] as const)}
        />
        <TextFilter name="search" label="Contains" wide />
      </div>
      {ended !== null && <Fault>{ended}</Fault>}
      {dropped > 0 && (
        <p class="quiet">{count(dropped)} lines had no room; a narrower filter shows them all.</p>
      )}
      {lines.length === 0 ? (
        <Empty title="Nothing yet">
          Lines appear here as they are written. The coordinator writes {levels?.level ?? 'info'} and above.
        </Empty>
      ) : (
        <ol class="log panel">
          {lines.toReversed().map(line => (
            <Line key={line.seq} line={line} />
          ))}
        </ol>
      )}
    </>
  )
}

const Line = ({ line: { atMs, level, message, fields } }: { line: LogLine }) => (
  <li class="log-line">
    <span class="quiet mono">{moment(atMs, nowMs.value)}</span>
    <Tag tone={TONES[level] ?? 'plain'}>{level}</Tag>
    <span>
      {message}{' '}
      {Object.entries(fields).map(([name, value]) => (
        <span key={name} class="log-field">
          <span class="quiet">{name}</span> <Value name={name} value={value} role={fields['role']} />{' '}
        </span>
      ))}
    </span>
  </li>
)

/** Names of actors lead to them. */
function Value({ name, value, role }: { name: string; value: unknown; role: unknown }) {
  if (typeof value !== 'string') return <span class="mono">{JSON.stringify(value)}</span>
  const kind = name === 'nodeId' ? 'node' : name === 'clientId' ? 'client' : name === 'id' ? role : undefined
  return kind === 'node' || kind === 'client' ? (
    <ActorLink id={`${kind}/${value}`}>{value}</ActorLink>
  ) : (
    <span class="mono">{value}</span>
  )
}
