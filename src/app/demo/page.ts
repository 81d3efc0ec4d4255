/** What the demo shows on a terminal. */
import { asMs, columns } from '../columns.js'
import type { Totals, World } from './world.js'

/** Rows of a list that fit beside everything else. */
const ROWS_MAX = 20

/** Returns the page: nodes, clients, and what happened last. */
export function demoPage(world: World, elapsedS: number, happened: readonly string[]): string {
  const { datagrams, failovers } = world.totals()
  const head =
    `BosonServer demo   ${elapsedS.toFixed(0)} s   datagrams ${grouped(datagrams.sent)} sent, ` +
    `${grouped(datagrams.delivered)} answered   failovers ${failovers}`
  const links = new Map(world.mesh.routes().map(({ clientId, tier }) => [clientId, tier]))
  const nodes = world.nodes.map(node => [
    node.id,
    node.country,
    node.agent === null ? 'killed' : node.agent.status().state,
    world.clientsOf(node),
  ])
  const clients = world.clients.map(({ id, agent, app, moved }) => [
    id,
    agent.current?.nodeId ?? null,
    links.get(id) ?? null,
    asMs(app.rttMs),
    app.sent,
    app.answered,
    moved === null ? null : `from ${moved.from} in ${moved.tookMs} ms`,
  ])
  return [
    head,
    columns(['NODE', 'COUNTRY', 'STATE', 'CLIENTS'], nodes.slice(0, ROWS_MAX)),
    columns(['CLIENT', 'NODE', 'PATH', 'RTT', 'SENT', 'ANSWERED', 'MOVED'], clients.slice(0, ROWS_MAX)),
    happened.join('\n'),
  ].join('\n\n')
}

/** Returns the totals in words. */
export function totalsText({ nodes, clients, routes, datagrams, failovers, failoverMs }: Totals): string {
  const share = datagrams.sent === 0 ? 0 : (100 * datagrams.lost) / datagrams.sent
  return [
    `${nodes} nodes, ${clients} clients, ${routes} routes`,
    `datagrams: ${grouped(datagrams.sent)} sent, ${grouped(datagrams.delivered)} answered, ` +
      `${grouped(datagrams.lost)} lost (${share.toFixed(1)} %)`,
    failovers === 0
      ? 'no node was lost under a client'
      : `failovers: ${failovers}, half of them within ${failoverMs.p50} ms, all within ${failoverMs.max} ms`,
  ].join('\n')
}

const grouped = (count: number): string => count.toLocaleString('en-US')
