/** What is asked of a node, in words: by the client, by the operator, by an order that is tried out. */
import type { RouteWish, Steering } from '../../../actors/ports.js'

/** Returns each wish as words; none when nothing is asked. */
export function wishWords(wish: RouteWish): readonly string[] {
  const named = (word: string, ids: readonly string[] | undefined) =>
    ids === undefined || ids.length === 0 ? [] : [`${word} ${ids.join(', ')}`]
  return [
    ...(wish.target === undefined ? [] : [`only ${wish.target}`]),
    ...(wish.country === undefined ? [] : [`country ${wish.country}`]),
    ...(wish.region === undefined ? [] : [`region ${wish.region}`]),
    ...(wish.exit === true ? ['forwards to the internet'] : []),
    ...named('tags', wish.tags),
    ...(wish.group === undefined ? [] : [`group ${wish.group}`]),
    ...(wish.minBandwidthMbps === undefined ? [] : [`at least ${wish.minBandwidthMbps} Mbit/s left`]),
    ...(wish.maxLatencyMs === undefined ? [] : [`RTT at most ${wish.maxLatencyMs} ms`]),
    ...named('not', wish.exclude),
    ...named('rather', wish.prefer),
    ...named('rather not', wish.avoid),
    ...(wish.weights ?? []).map(([term, weight]) => `${term} counts × ${weight}`),
  ]
}

export function steeringWords({ pin, group, prefer, avoid, weights }: Steering): readonly string[] {
  return [
    ...(pin === null ? [] : [`only ${pin}`]),
    ...(group === null ? [] : [`group ${group}`]),
    ...wishWords({ prefer, avoid }),
    ...Object.entries(weights).map(([term, weight]) => `${term} counts × ${weight}`),
  ]
}

/** Returns whether some term counts more or less than usual: its points are then not what was measured. */
export const isWeighted = (wish: RouteWish, steering: Steering): boolean =>
  (wish.weights ?? []).length > 0 || Object.keys(steering.weights).length > 0

export const Words = ({ of, none }: { readonly of: readonly string[]; readonly none: string }) =>
  of.length === 0 ? (
    <span class="quiet">{none}</span>
  ) : (
    <ul class="words">
      {of.map(each => (
        <li key={each}>{each}</li>
      ))}
    </ul>
  )
