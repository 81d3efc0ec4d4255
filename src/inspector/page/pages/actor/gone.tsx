/** Said where an actor was: why it may be gone, and where to look instead. */
import type { ActorView } from '../../../../actors/ports.js'
import { to } from '../../route.js'
import { ActorLink, Empty } from '../../ui/parts.js'

/** `last`: what was known of it while one looked; null: it was never seen. */
export function Gone({ id, last }: { id: string; last: ActorView | null }) {
  const [kind, name = ''] = id.split('/')
  const isIdentity = kind === 'node' || kind === 'client'
  return (
    <section class="panel">
      <Empty title={last === null ? 'There is no such actor now' : 'This actor is gone'}>
        {last !== null && <>It was last {last.state}. </>}
        {isIdentity
          ? 'A session ends when its agent leaves, is away for too long or is sent away; it is here again as soon as the agent is back. '
          : 'It has ended, or never was. '}
        {last?.parent != null && (
          <>
            Look at <ActorLink id={last.parent} />, which looked after it.{' '}
          </>
        )}
        {isIdentity && (
          <>
            What was done to it is in <a href={to(['audit'], { subject: name })}>the audit</a>.{' '}
          </>
        )}
        <a href={to(['actors'])}>All actors</a>
      </Empty>
    </section>
  )
}
