/** What the picture of the mesh is called in words. */
import type { PicturedLink, PicturedNode } from '../../../actors/ports.js'
import type { Tone } from '../ui/parts.js'

const NAMES = new Intl.DisplayNames('en', { type: 'region', fallback: 'code' })

/** DE → Germany; what is no code stays as it is. */
export function countryName(code: string | null): string | null {
  try {
    return code === null ? null : (NAMES.of(code) ?? code)
  } catch {
    return code
  }
}

/** What should be looked at about a node; null: nothing. */
export function troubleOf({
  state,
  draining,
  ailment,
}: PicturedNode): { readonly tone: Tone; readonly words: string } | null {
  if (/lapsed|suspended|closed/.test(state)) return { tone: 'bad', words: state }
  if (ailment !== null) return { tone: 'warn', words: `carries badly: ${ailment}` }
  return draining ? { tone: 'warn', words: 'draining' } : null
}

/** Returns figures of several links as those of one. */
export function summed(links: readonly PicturedLink[]) {
  const reasons = new Map<string, number>()
  let [clients, bytes] = [0, 0]
  for (const link of links) {
    clients += link.clients
    bytes += link.bytes
    for (const [reason, count] of Object.entries(link.reasons))
      reasons.set(reason, (reasons.get(reason) ?? 0) + count)
  }
  return {
    clients,
    bytes,
    rttMs: meanOf(links, ({ rttMs }) => rttMs),
    lossPct: meanOf(links, ({ lossPct }) => lossPct),
    reasons: [...reasons].sort((a, b) => b[1] - a[1]),
  }
}

/** By clients; null when no link knows. */
function meanOf(links: readonly PicturedLink[], of: (link: PicturedLink) => number | null): number | null {
  let [sum, weight] = [0, 0]
  for (const link of links) {
    const figure = of(link)
    if (figure === null) continue
    sum += figure * link.clients
    weight += link.clients
  }
  return weight === 0 ? null : sum / weight
}
