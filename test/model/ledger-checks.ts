/** What must hold of the ledger of paths at every moment, whatever was killed, restarted or cut. */
import type { MeshApi, PathStory, TierBytes } from '../../src/actors/ports.js'

export class LedgerChecks {
  readonly #bytes = new Map<string, PathStory['bytes']>()

  /** Throws the sentence that says what is wrong. */
  hold(mesh: MeshApi): void {
    const routes = mesh.routes()
    const { paths, total } = mesh.paths()
    must(paths.length === total, `${paths.length} paths are listed of ${total}`)
    const { handingOver } = mesh.stats().routes
    must(
      total === routes.length + handingOver,
      `there are ${routes.length} routes, ${handingOver} hand over, and ${total} paths are in the ledger`,
    )
    for (const { link, clientId, tier, via, reason } of routes) {
      const path = mesh.path(link)
      if (path === null) throw new Error(`the ledger does not know the path of ${clientId}`)
      const agrees = path.tier === tier && path.via === via && path.reason === reason
      must(
        agrees,
        `${clientId}: ${tier} ${via} ${reason}, and the ledger says ${path.tier} ${path.via} ${path.reason}`,
      )
      must((path.reason === null) === (tier === 'direct'), `${clientId} is ${tier} because of ${path.reason}`)
      this.#story(path)
      this.#growth(path)
    }
  }

  /** The coordinator was killed: what agents had reported since the last write is known when they report again. */
  crashed(): void {
    this.#bytes.clear()
  }

  /** Its times follow each other without a gap, and its attempts are counted up. */
  #story({ pathId, history, sinceMs, openedAtMs, attempts }: PathStory): void {
    const times = history.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs])
    const ordered = [...times, sinceMs].every((ms, i) => ms >= (times[i - 1] ?? openedAtMs))
    const joined = history.every(({ untilMs }, i) => untilMs === (history[i + 1]?.fromMs ?? sinceMs))
    must(ordered && joined, `${pathId} has gaps in its history: ${times.join(' ')}, and now since ${sinceMs}`)
    const numbers = attempts.map(({ attempt }) => attempt)
    must(
      numbers.every((n, i) => n > (numbers[i - 1] ?? 0)),
      `${pathId} counts its attempts ${numbers.join(' ')}`,
    )
  }

  #growth({ pathId, bytes }: PathStory): void {
    const before = this.#bytes.get(pathId)
    this.#bytes.set(pathId, bytes)
    for (const way of ['toNode', 'toClient'] as const)
      for (const tier of TIERS)
        must(bytes[way][tier] >= (before?.[way][tier] ?? 0), `${pathId} has carried less ${tier} than before`)
  }
}

const TIERS: readonly (keyof TierBytes)[] = ['relayed', 'turned', 'direct']

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
