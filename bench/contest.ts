/** One server under the generator, and what comes of several such runs. */
import type { Settings } from './bench.js'
import { MESH_PATH, SUBPROTOCOL } from '../src/protocol/timing.js'
import { type Crowd, type Load, type LoadOptions, load, type Watch } from './load/generator.js'
import { type Server, startServer } from './processes.js'
import type { Saturated } from './report.js'
import { median } from './rounds.js'

/** How long a run is measured, and how long it runs before: compilers and kernels settle first, ms. */
const FULL = { ms: 2_500, warm: 1_000 }
const QUICK = { ms: 600, warm: 400 }

/** A server of `bench/servers` and its arguments. */
export type Contestant = readonly [name: string, ...args: readonly string[]]

/** Starts a server for one run, and ends it whatever happens. */
export async function withServer<R>(contestant: Contestant, run: (server: Server) => Promise<R>): Promise<R> {
  const server = await startServer(...contestant)
  try {
    return await run(server)
  } finally {
    await server.end()
  }
}

/** How the generator greets us: where agents connect, and with a ticket. Bare servers want nothing. */
export const AS_AGENT = { path: MESH_PATH, protocol: SUBPROTOCOL, hello: 'resume' }

/** Runs the generator against a server that stands. */
export const loadOn = <L extends Crowd | Load = Load>(
  contestant: Contestant,
  { port, pid }: Server,
  options: Omit<LoadOptions, 'port'>,
  watch?: Watch,
): Promise<L> => load<L>({ ...options, ...(contestant[0] === 'ours' ? AS_AGENT : {}), port, pid }, watch)

/** Returns a run of the generator against a fresh server. */
export const underLoad =
  (contestant: Contestant, options: Omit<LoadOptions, 'port'>, { quick }: Settings): (() => Promise<Load>) =>
  () =>
    withServer(contestant, server => loadOn(contestant, server, { ...(quick ? QUICK : FULL), ...options }))

/** Others on the machine used more than this share of a core: latencies then speak of them. */
const DISTURBED = 0.1
/** Runs that are tried for a quiet one. */
const TRIES = 4

/** Returns `run`, tried again while it is disturbed; of several disturbed runs, the least. */
export const undisturbed =
  (run: () => Promise<Load>, { quick }: Settings): (() => Promise<Load>) =>
  async () => {
    let best = await run()
    for (let tries = 1; tries < TRIES && !quick && best.foreignBusy > DISTURBED; tries++) {
      const next = await run()
      if (next.foreignBusy < best.foreignBusy) best = next
    }
    return best
  }

/** Returns the median of one figure over the runs. */
export const middle = <F extends string>(runs: readonly Readonly<Record<F, number>>[], figure: F): number =>
  median(runs.map(run => run[figure]))

/** Returns which side of these runs worked harder: that one set the pace. */
export const saturatedIn = (runs: readonly Pick<Load, 'serverBusy' | 'clientBusy'>[]): Saturated =>
  middle(runs, 'serverBusy') >= middle(runs, 'clientBusy') ? 'server' : 'client'

/**
 * Returns the ratio of two servers by what a message costs each in CPU time. Where both are saturated that is
 * the ratio of their throughput; where the generator is, or a neighbour takes the core, it still holds.
 */
export const byCost = (ours: readonly Load[], limit: readonly Load[]): number =>
  middle(limit, 'serverMicros') / middle(ours, 'serverMicros')

/** Returns what a reader wants to know besides the ratio. */
export const circumstances = (ours: readonly Load[], limit: readonly Load[]): Record<string, number> => ({
  serverMicros: middle(ours, 'serverMicros'),
  limitServerMicros: middle(limit, 'serverMicros'),
  serverBusy: middle(ours, 'serverBusy'),
  clientBusy: middle(ours, 'clientBusy'),
  foreignBusy: middle(ours, 'foreignBusy'),
})
