/** Who waits for whom, as trees: at each root stands the session that everybody below it waits for. */
import { useRef } from 'preact/hooks'
import type { Locks as Answer, Waiting } from '../../databases/kinds.js'
import { longestWait, mostWaitedFor, waitersBelow } from '../../databases/lock-tree.js'
import { Query } from '../../databases/marks.js'
import { lockWords, seconds, toneOfSession, whose } from '../../databases/words.js'
import { useView } from '../../live/hooks.js'
import { plural } from '../../ui/format.js'
import { Hold, useHold } from '../../ui/hold.js'
import { Empty, Fault, Panel, Tag } from '../../ui/parts.js'
import { useRows } from '../../ui/rows.js'
import { SessionActions, sessionKey } from './activity.js'
import { NotTold } from './not-told.js'

/** Whoever waits is told soon, ms. */
const EVERY_MS = 2000

export function Locks({ server }: { readonly server: string }) {
  const { value, fault } = useView<Answer>(`/pgmon/servers/${encodeURIComponent(server)}/locks`, EVERY_MS)
  const held = useHold(value)
  const { value: locks } = held
  return (
    <>
      {fault !== null && <Fault>{fault}</Fault>}
      {locks === null ? (
        fault === null && <div class="table-place" aria-busy="true" />
      ) : locks.tree.length === 0 ? (
        <section class="panel">
          <Empty title="Nobody waits for anybody">
            A session that waits for another one’s lock appears here within seconds.
          </Empty>
        </section>
      ) : (
        <Panel
          title={`${plural(locks.blocked, 'session')} ${locks.blocked === 1 ? 'waits' : 'wait'}`}
          about="each below the one that it waits for"
          end={<Hold of={held} />}
        >
          <Trees server={server} of={mostWaitedFor(locks.tree)} />
          {locks.left_out > 0 && (
            <p class="quiet">{plural(locks.left_out, 'more session')} for which there is no room here.</p>
          )}
        </Panel>
      )}
      {locks !== null && <NotTold of={locks.unknown} />}
    </>
  )
}

function Trees({ server, of }: { readonly server: string; readonly of: readonly Waiting[] }) {
  const place = useRef<HTMLUListElement>(null)
  useRows(place)
  return (
    <ul ref={place} class="locks">
      {of.map(root => (
        <Holder key={sessionKey(root.session)} server={server} of={root} isRoot />
      ))}
    </ul>
  )
}

function Holder({
  server,
  of,
  isRoot = false,
}: {
  readonly server: string
  readonly of: Waiting
  readonly isRoot?: boolean
}) {
  const { session, lock, waited_s: waited, waiting, is_repeated: isRepeated } = of
  const below = waitersBelow(of)
  return (
    <li class="lock">
      <div class="lock-box" data-row="" tabIndex={-1} data-root={isRoot}>
        <div class="lock-head">
          <strong class="mono">{session.pid === 0 ? 'prepared' : session.pid}</strong>
          {isRoot ? (
            <Tag tone="bad">holds up {plural(below, 'session')}</Tag>
          ) : (
            <Tag tone="warn">waits {waited === null ? '' : seconds(waited)}</Tag>
          )}
          {lock !== null && <span>for {lockWords(lock)}</span>}
          {isRoot && <span class="quiet">longest wait {seconds(longestWait(of))}</span>}
          {isRepeated && <span class="quiet">again: it waits for several</span>}
          <span class="lock-end">
            <SessionActions server={server} session={session} />
          </span>
        </div>
        <p class="lock-who">
          {whose(session)}
          {session.client !== null && <span class="quiet"> from {session.client}</span>} ·{' '}
          {isRoot ? <Tag tone={toneOfSession(session)}>{session.state ?? session.kind}</Tag> : session.state}
          {session.transaction_s !== null && (
            <span class="quiet"> transaction open for {seconds(session.transaction_s)}</span>
          )}
        </p>
        <Query of={session.query} />
      </div>
      {waiting.length > 0 && (
        <ul>
          {waiting.map(each => (
            <Holder key={sessionKey(each.session)} server={server} of={each} />
          ))}
        </ul>
      )}
    </li>
  )
}
