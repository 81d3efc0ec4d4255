/** A tier as it is drawn everywhere: its colour and its name. */
import type { PathTier } from '../../../actors/ports.js'
import { tierLabel } from './words.js'

export const Tier = ({ tier }: { tier: PathTier }) => (
  <span class="tier" data-tier={tier}>
    {tierLabel(tier)}
  </span>
)

/** How many there are of each tier, as one bar. */
export function TierBar({ counts }: { counts: readonly (readonly [tier: PathTier, count: number])[] }) {
  const total = counts.reduce((sum, [, each]) => sum + each, 0)
  if (total === 0) return <div class="tier-bar" />
  return (
    <div class="tier-bar" aria-hidden="true">
      {counts.map(([tier, each]) => (
        <span key={tier} data-tier={tier} style={{ flexGrow: each }} />
      ))}
    </div>
  )
}
