/** Packets relayed by TURN, from clients to their peers and back, beside coturn on the same core. */
import { spawnSync } from 'node:child_process'
import { type Bench, type Case, type Result, type Settings, UnableError } from '../bench.js'
import { type Contestant, withServer } from '../contest.js'
import { type TurnLoad, turnLoad } from '../load/turn-generator.js'
import { interleave, median } from '../rounds.js'

/** Enough that a look at the sockets finds several with work, as with real clients. */
const CLIENTS = 16
const WINDOW = 16
const FULL = { ms: 4_000, warm: 2_000 }
const QUICK = { ms: 600, warm: 400 }
const OURS: Contestant = ['turn']
const COTURN: Contestant = ['coturn']

const carried =
  (contestant: Contestant, size: number, { quick }: Settings) =>
  (): Promise<TurnLoad> =>
    withServer(contestant, async server => {
      const pid = contestant === COTURN ? await server.ask<number>('pid') : server.pid
      const times = quick ? QUICK : FULL
      return turnLoad({ port: server.port, pid, size, clients: CLIENTS, window: WINDOW, ...times })
    })

const middle = (runs: readonly TurnLoad[], figure: keyof TurnLoad): number =>
  median(runs.map(run => run[figure]))

async function measure(size: number, settings: Settings): Promise<Result> {
  if (spawnSync('turnserver', ['--version']).error !== undefined)
    throw new UnableError('coturn, to compare with, is not installed (apt-get install coturn)')
  const { ours, limit } = await interleave(
    settings.rounds,
    { ours: carried(OURS, size, settings), limit: carried(COTURN, size, settings) },
    settings.say,
  )
  const micros = middle(ours, 'serverMicros')
  const limitMicros = middle(limit, 'serverMicros')
  return {
    value: middle(ours, 'perSecond'),
    unit: 'packets/s',
    limit: { name: 'coturn', value: middle(limit, 'perSecond') },
    // By what a packet costs: where both fill their core that is the ratio of their rates.
    ratio: limitMicros / micros,
    saturated: middle(ours, 'serverBusy') >= middle(ours, 'clientBusy') ? 'server' : 'client',
    rounds: settings.rounds,
    target: 0.6,
    detail: {
      mbitPerSecond: (middle(ours, 'perSecond') * size * 8) / 1e6,
      limitMbitPerSecond: (middle(limit, 'perSecond') * size * 8) / 1e6,
      serverMicros: micros,
      limitServerMicros: limitMicros,
      serverBusy: middle(ours, 'serverBusy'),
      limitServerBusy: middle(limit, 'serverBusy'),
      foreignBusy: middle(ours, 'foreignBusy'),
      lost: middle(ours, 'lost'),
      limitLost: middle(limit, 'lost'),
    },
  }
}

const relayed = (size: number): Case => ({
  name: `${size}B`,
  about: `${CLIENTS} clients, ${WINDOW} packets of ${size} B under way on each, there and back`,
  measure: settings => measure(size, settings),
})

export const turn: Bench = {
  name: 'turn',
  about: 'Packets per second and core relayed by TURN, beside coturn.',
  cases: [relayed(200), relayed(1_200)],
}
