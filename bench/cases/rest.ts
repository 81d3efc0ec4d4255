/** The REST face: heartbeats and route requests of agents that speak HTTP, beside a handler that only parses JSON. */
import type { Bench, Case } from '../bench.js'
import { withServer } from '../contest.js'
import { httpLoad, type HttpLoad } from '../load/http-generator.js'
import { interleave, median } from '../rounds.js'

/** Agents that are registered before anything is measured. */
const AGENTS = { full: 400, quick: 50 }
/** How long it is measured, and how long it runs before, ms. */
const FULL = { ms: 4_000, warm: 3_000, conns: 64 }
const QUICK = { ms: 600, warm: 600, conns: 16 }

function beside(name: string, about: string, question: 'heartbeats' | 'routes', unit: string): Case {
  return {
    name,
    about,
    async measure({ rounds, quick, say }) {
      const agents = String(quick ? AGENTS.quick : AGENTS.full)
      const options = quick ? QUICK : FULL
      const args = ['--nodes', agents, ...(question === 'routes' ? ['--clients', agents] : [])]
      let requests: readonly string[] = []
      let answerBytes = 0
      const ours = () =>
        withServer(['rest', ...args], async server => {
          requests = await server.ask<readonly string[]>(question)
          answerBytes = await sizeOf(server.port, requests[0] ?? '')
          return httpLoad(server, requests, options)
        })
      const limit = () =>
        withServer(['bare-rest', String(answerBytes)], server => httpLoad(server, requests, options))
      const runs = await interleave(rounds, { ours, limit }, say)
      const middle = (side: readonly HttpLoad[], figure: keyof HttpLoad) =>
        median(side.map(run => run[figure]))
      const [mine, least] = [middle(runs.ours, 'serverMicros'), middle(runs.limit, 'serverMicros')]
      return {
        value: middle(runs.ours, 'perSecond'),
        unit,
        limit: { name: 'bare uWebSockets handler', value: middle(runs.limit, 'perSecond') },
        ratio: least / mine,
        saturated: middle(runs.ours, 'serverBusy') >= middle(runs.ours, 'clientBusy') ? 'server' : 'client',
        rounds,
        target: 0.5,
        detail: {
          agents: Number(agents),
          answerBytes,
          serverMicros: mine,
          limitServerMicros: least,
          serverBusy: middle(runs.ours, 'serverBusy'),
          clientBusy: middle(runs.ours, 'clientBusy'),
          p50: middle(runs.ours, 'p50'),
          p99: middle(runs.ours, 'p99'),
        },
      }
    },
  }
}

/** Resolves with the length of the body that a request is answered with. */
async function sizeOf(port: number, request: string): Promise<number> {
  const [head = '', body = ''] = request.split('\r\n\r\n')
  const [, path = ''] = /^POST (\S+)/.exec(head) ?? []
  const [, authorization = ''] = /^Authorization: (.*)$/m.exec(head) ?? []
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { authorization },
    body,
  })
  return (await response.arrayBuffer()).byteLength
}

export const rest: Bench = {
  name: 'rest',
  about: 'agents that speak HTTP',
  cases: [
    beside('heartbeat', 'each of 400 nodes is heard again and again', 'heartbeats', 'heartbeats/s'),
    beside('route', 'each of 400 clients asks for its route among 400 nodes', 'routes', 'requests/s'),
  ],
}
