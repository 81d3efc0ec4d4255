/** Jobs with the real programs: `boson node` does what `boson jobs` orders, and a restart keeps its WireGuard interface. */
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { JobView } from '../../src/app/commands/jobs.js'
import { makeMesh, online } from './made-mesh.js'
import { cannotRun } from './namespaces.js'

t.test('a node does the jobs that it is ordered, each once', { skip: cannotRun() }, async t => {
  const mesh = await makeMesh(t)
  const { coordinator, lab, root } = mesh
  const node = mesh.startNode('--drain-within', '1')
  await online(node)
  const order = async (...words: readonly string[]): Promise<JobView> => {
    const printed = await coordinator.boson('jobs', 'order', 'fra-1', ...words, '--json')
    return JSON.parse(printed.trim().split('\n').at(-1) ?? '') as JobView // its last change
  }

  await t.test('its log tells more for a while', async t => {
    t.match(await order('log-level', 'debug', '--for', '10m'), {
      status: 'done',
      type: 'logLevel',
      result: { level: 'debug', usual: 'warn', untilMs: Number },
      created_by: 'operator',
    })
  })

  await t.test('settings change that may, and others say why not', async t => {
    t.match(await order('update-config', 'drainWithin=0', 'logLevel=info'), {
      status: 'done',
      result: { changed: { drainWithin: 0, logLevel: 'info' } },
    })
    const refused = await coordinator.boson(
      'jobs',
      'order',
      'fra-1',
      'update-config',
      'mtu=1400',
      '--no-watch',
      '--json',
    )
    const { id } = JSON.parse(refused) as JobView
    await node.comesTo('it is refused', async () => {
      const job = await coordinator.ask<JobView>(`/api/v1/jobs/${id}`)
      return job?.status === 'failed' && t.match(job.result, { refused: { mtu: /next start/ } })
    })
  })

  await t.test('its network is looked at anew', async t => {
    t.match(await order('reprobe'), { status: 'done', result: { links: [] } })
  })

  await t.test('its bundle has no secret in it', async t => {
    const { status, result } = await order('bundle')
    t.equal(status, 'done')
    t.match(result, {
      version: String,
      settings: { BOSON_CREDENTIAL: '[secret]', BOSON_DRAIN_WITHIN: 1 },
      status: { state: 'online' },
      logLevel: { level: 'debug', usual: 'info' },
    })
    const told = JSON.stringify(result)
    const key = readFileSync(join(root, 'fra-1', 'key'), 'utf8').trim()
    const { ticket } = JSON.parse(readFileSync(join(root, 'fra-1', 'session.json'), 'utf8')) as {
      ticket: string
    }
    for (const secret of [key, ticket, 'bek_']) t.notOk(told.includes(secret))
  })

  await t.test(
    'asked to restart it ends with 8, its interface stays, and the next process tells that it is back',
    async t => {
      const before = node.lines.at(-1)
      const job = JSON.parse(
        await coordinator.boson('jobs', 'order', 'fra-1', 'restart', '--no-watch', '--json'),
      ) as JobView
      await node.comesTo('it has ended', () => node.ended !== null).catch(() => null)
      t.equal(node.process.exitCode, 8, node.err)
      t.match(await lab.node.run('ip', '-o', 'link'), `${before?.interface}:`)
      const next = mesh.startNode()
      await online(next)
      t.equal(next.lines.at(-1)?.address, before?.address)
      await next.comesTo('the job is done', async () => {
        const told = await coordinator.ask<JobView>(`/api/v1/jobs/${job.id}`)
        return told?.status === 'done' && t.match(told.result, { pid: next.process.pid })
      })
      t.equal(await next.end(), 0)
    },
  )
})
