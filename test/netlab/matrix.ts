/**
 * Every pair of kinds of NAT, in one lab: a node and a client behind each kind, under one coordinator. In each round
 * every client has another node, all at once; a pair and its mirror image are tried once.
 */
import { online } from './made-mesh.js'
import type { NatMesh } from './nat-mesh.js'
import { type Trial, tryPair } from './trial.js'

export const KINDS = ['none', 'full', 'addr', 'port', 'sym', 'port+port', 'port+sym', 'block'] as const

/** Returns the lab that the matrix of these kinds needs, each with `option`, such as `,remap`. */
export const matrixLab = (kinds: readonly string[], option = ''): string =>
  kinds.map((kind, i) => `node${i}=${kind}${option} client${i}=${kind}${option}`).join(' ')

/**
 * Tries every pair of a lab of `matrixLab`. `tried` hears of each whose path has settled, before its client goes;
 * rejects after the round in which a pair could not be tried.
 */
export async function tryMatrix(mesh: NatMesh, tried: (trial: Trial) => Promise<void> | void): Promise<void> {
  const count = mesh.lab.hosts.length / 2
  for (let i = 0; i < count; i++) await online(mesh.startNode(`node${i}`))
  for (const pairs of rounds(count)) {
    const ended = await Promise.allSettled(
      pairs.map(async ([node, client]) => {
        const trial = await tryPair(mesh, `node${node}`, `client${client}`)
        await tried(trial)
        await trial.ping.end()
        await trial.client.end()
      }),
    )
    for (const each of ended) if (each.status === 'rejected') throw each.reason
  }
}

/** Returns rounds of pairs of numbers below `count`: each number at most once on each side, each pair once in all. */
export function rounds(count: number): readonly (readonly (readonly [number, number])[])[] {
  const steps = Array.from({ length: Math.floor(count / 2) + 1 }, (_, step) => step)
  return steps.map(step => {
    // Half-way round, every pair is met from both sides.
    const starts = step > 0 && step * 2 === count ? step : count
    return Array.from({ length: starts }, (_, a) => [a, (a + step) % count] as const)
  })
}
