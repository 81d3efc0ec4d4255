/** What a DBA would say of a server: settings that lose data, and states that end badly; nothing when nothing was found. */
import type { AdviceList } from '../../databases/kinds.js'
import { mended } from '../../databases/words.js'
import { useView } from '../../live/hooks.js'
import { Dot, Panel } from '../../ui/parts.js'

/** Settings change seldom, ms. */
const EVERY_MS = 60_000
/** What stands at the top of the view already. */
const TOLD_ABOVE = new Set(['connections', 'wraparound', 'slot_inactive'])

export function Advised({ server }: { readonly server: string }) {
  const { value } = useView<AdviceList>(`/pgmon/servers/${encodeURIComponent(server)}/advice`, EVERY_MS)
  const advice = (value?.advice ?? []).filter(({ code }) => !TOLD_ABOVE.has(code))
  if (advice.length === 0) return null
  return (
    <Panel title="Advice" about="what a DBA would change">
      <ul class="concerns">
        {advice.map(({ level, found, action, source }) => (
          <li key={found} data-tone={level === 'error' ? 'bad' : 'warn'}>
            <Dot
              tone={level === 'error' ? 'bad' : 'warn'}
              label={level === 'error' ? 'Bad' : 'Worth a look'}
            />
            <span>
              {found}
              <span class="advice">
                {mended(action).words.map((text, i) => (i % 2 === 1 ? <code key={i}>{text}</code> : text))}{' '}
                <a href={source} target="_blank" rel="noreferrer">
                  Manual
                </a>
              </span>
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
