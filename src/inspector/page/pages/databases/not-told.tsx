/** What a server does not tell, why, and how to mend that; nothing when it tells all. */
import type { Unknown } from '../../databases/kinds.js'
import { Mended } from '../../databases/marks.js'
import { Facts, Panel } from '../../ui/parts.js'

export const NotTold = ({ of }: { readonly of: readonly Unknown[] }) =>
  of.length === 0 ? null : (
    <Panel title="What it does not tell" about="and how to mend that">
      <Facts of={of.map(({ what, why }) => [what, <Mended key={what}>{why}</Mended>])} />
    </Panel>
  )
