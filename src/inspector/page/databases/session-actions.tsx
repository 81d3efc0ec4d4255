/** What an operator does about a session. It asks once, says what will happen, and then what became of it. */
import { ask } from '../live/hooks.js'
import type { Question } from '../ui/dialog.js'
import { Facts } from '../ui/parts.js'
import type { Activity, Session, Signalled } from './kinds.js'
import { Query } from './marks.js'
import { seconds, whose } from './words.js'

const at = (server: string): string => `/pgmon/servers/${encodeURIComponent(server)}/activity`

export const cancelQuery = (server: string, session: Session): Question => ({
  title: `Cancel the query of session ${session.pid}`,
  verb: 'Cancel query',
  dismiss: 'Let it run',
  consequence: (
    <div class="trial">
      <p>
        The statement ends with an error, and what its transaction has done is rolled back when it ends. The
        session stays, and keeps its locks until then.
      </p>
      <Who of={session} />
    </div>
  ),
  act: () => signal(server, session, 'cancel'),
})

export const terminateSession = (server: string, session: Session): Question => ({
  title: `Terminate session ${session.pid}`,
  verb: 'Terminate',
  isDangerous: true,
  consequence: (
    <div class="trial">
      <p>
        Its connection is closed, what its transaction has done is rolled back, and whoever waits for its
        locks goes on. The program that holds it sees an error.
      </p>
      <Who of={session} />
    </div>
  ),
  act: () => signal(server, session, 'terminate'),
})

const Who = ({ of: session }: { readonly of: Session }) => (
  <Facts
    of={[
      ['Session', whose(session)],
      ['From', session.client],
      ['State', session.state],
      ['Transaction', seconds(session.transaction_s)],
      ['Query', <Query of={session.query} />],
    ]}
  />
)

/** How long after the signal one looks what became of it, ms: PostgreSQL acts on it within milliseconds, mostly. */
const AFTER_MS = 700

async function signal(server: string, session: Session, verb: 'cancel' | 'terminate'): Promise<string> {
  const { pid, started_at } = session
  const { note } = await ask<Signalled>('POST', `${at(server)}/${pid}/${verb}`, { started_at })
  await new Promise(resolve => setTimeout(resolve, AFTER_MS))
  // It was signalled: that nobody can tell what came of it is no reason to say that it was not.
  const now = await ask<Activity>('GET', at(server)).catch(() => null)
  const said = now === null ? `Session ${pid} was signalled.` : outcome(session, verb, now)
  return note === null ? said : `${said} ${note}`
}

function outcome(session: Session, verb: 'cancel' | 'terminate', { sessions }: Activity): string {
  const { pid } = session
  const still = sessions.find(each => each.pid === pid && each.started_at === session.started_at)
  if (verb === 'terminate')
    return still === undefined
      ? `Session ${pid} has ended.`
      : `Session ${pid} was told to end, and has not yet: it rolls back what it did.`
  return still?.state === 'active' && still.query === session.query
    ? `Session ${pid} was told to cancel its query, and has not yet.`
    : `The query of session ${pid} is cancelled.`
}
