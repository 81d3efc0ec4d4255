/** Kick, revoke, re-probe and the log level over the operator's HTTP interface, and as the command line prints them. */
import t, { type Test } from 'tap'
import { kickText, reprobeText, revocationText } from '../../src/app/commands/interventions.js'
import { logLevelText } from '../../src/app/commands/log-level.js'
import { LogLevel } from '../../src/telemetry/log-level.js'
import { coordinator, online } from '../support/coordinator.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { until } from '../support/until.js'

t.test('over HTTP', async t => {
  const { ask, mesh } = await withNode(t)
  const audited = (kind: string) =>
    until(`${kind} is audited`, async () => {
      const { audit } = (await ask('GET', `/api/v1/audit?kind=${kind}`)).body as { audit: unknown[] }
      return audit.length > 0 && audit
    })

  await t.test('a kicked node comes back by itself', async t => {
    const before = mesh.node('fra-1')?.sessionId
    t.match(await ask('POST', '/api/v1/identities/fra-1/kick', { reason: 'a new disk' }), {
      status: 200,
      body: { id: 'fra-1', role: 'node', ended: true, refusedForMs: 0 },
    })
    await until('it is back', () => mesh.node('fra-1')?.state === 'online')
    t.not(mesh.node('fra-1')?.sessionId, before)
    t.match(await audited('session.kicked'), [
      { actor: 'operator', subject: 'fra-1', detail: { reason: 'a new disk' } },
    ])
  })

  await t.test('a re-probe says what was begun', async t => {
    t.match(await ask('POST', '/api/v1/identities/fra-1/reprobe'), {
      status: 200,
      body: { probe: 'cannot', paths: 0 },
    })
    t.match(await audited('session.reprobed'), [{ actor: 'operator' }])
  })

  await t.test('a revoked one stays away', async t => {
    t.match(await ask('POST', '/api/v1/identities/alice/revoke', {}), { status: 200, body: { ended: true } })
    t.match(await audited('identity.revoked'), [
      { actor: 'operator', subject: 'alice', detail: { reason: 'an operator revoked this identity' } },
    ])
  })

  await t.test('what an operator lays down, drains and enrols is audited with the name', async t => {
    await ask('PATCH', '/api/v1/identities/alice/steering', { pin: 'fra-1' })
    t.match(await audited('steering.changed'), [{ actor: 'operator', subject: 'alice' }])
  })

  await t.test('the log level is another one for a while', async t => {
    const usual = { level: 'info', usual: 'info', untilMs: null }
    t.match(await ask('GET', '/api/v1/log-level'), { status: 200, body: usual })
    t.match(await ask('PUT', '/api/v1/log-level', { level: 'debug', forMs: 60_000 }), {
      status: 200,
      body: { level: 'debug', usual: 'info', untilMs: Number },
    })
    t.match(await ask('DELETE', '/api/v1/log-level'), { status: 200, body: usual })
    t.match(await audited('log.level_changed'), [{ actor: 'operator', subject: 'test' }, {}])
  })

  await t.test('what cannot be done is said', async t => {
    const table: readonly (readonly [method: string, path: string, wish: unknown, status: number])[] = [
      ['POST', 'identities/nobody/kick', {}, 404],
      ['POST', 'identities/nobody/revoke', {}, 404],
      ['POST', 'identities/nobody/reprobe', undefined, 404],
      ['POST', 'identities/fra-1/kick', { forMs: -1 }, 400],
      ['POST', 'identities/fra-1/kick', { forMs: 7 * 86_400_000 + 1 }, 400],
      ['POST', 'identities/fra-1/kick', { reason: 'two\nlines' }, 400],
      ['POST', 'identities/fra-1/kick', { reason: '€'.repeat(42) }, 400],
      ['POST', 'identities/fra-1/kick', { why: 'x' }, 400],
      ['PUT', 'log-level', { level: 'silent' }, 400],
      ['PUT', 'log-level', { level: 'debug', forMs: 86_400_001 }, 400],
    ]
    for (const [method, path, wish, status] of table)
      t.equal((await ask(method, `/api/v1/${path}`, wish)).status, status, path)
    t.equal((await ask('POST', '/api/v1/identities/fra-1/kick', {}, {})).status, 401)
    t.equal(mesh.node('fra-1')?.state, 'online')
  })
})

t.test('the log level returns by itself, and the last word counts', async t => {
  const clock = new SimulatedClock()
  const log = { level: 'warn' }
  const levels = new LogLevel(clock, log)
  levels.set('debug', 10_000)
  await clock.run(9_000)
  levels.set('trace', 10_000)
  await clock.run(9_000)
  t.equal(log.level, 'trace')
  t.equal(levels.view.untilMs, clock.wallMs() + 1_000)
  await clock.run(1_000)
  t.same(levels.view, { level: 'warn', usual: 'warn', untilMs: null })
  levels.set('error', 10_000)
  levels.reset()
  t.equal(log.level, 'warn')
})

t.test('in words', async t => {
  const kick = { id: 'fra-1', role: 'node', ended: true, refusedForMs: 0 } as const
  t.equal(kickText(kick), 'the session of fra-1 is ended; its agent may come back at once')
  t.equal(
    kickText({ ...kick, refusedForMs: 300_000 }),
    'the session of fra-1 is ended; it is refused for 5 min',
  )
  t.equal(kickText({ ...kick, ended: false }), 'fra-1 has no session')
  t.equal(
    kickText({ ...kick, ended: false, refusedForMs: 90_000 }),
    'fra-1 has no session; it is refused for 1 min',
  )
  t.equal(
    revocationText({ id: 'alice', role: 'client', ended: true, revokedAtMs: 0 }),
    'alice is revoked since 1970-01-01T00:00:00Z; its session and its routes are ended',
  )
  const reprobe = { id: 'fra-1', role: 'node', probe: 'asked', paths: 1 } as const
  t.equal(reprobeText(reprobe), 'fra-1 is asked about its NAT anew; 1 path is tried again')
  t.equal(
    reprobeText({ ...reprobe, probe: 'cannot', paths: 0 }),
    'fra-1 knows no NAT probes; it has no paths',
  )
  t.equal(logLevelText({ level: 'info', usual: 'info', untilMs: null }, 0), 'info, as the settings say')
  t.equal(
    logLevelText({ level: 'debug', usual: 'info', untilMs: 600_000 }, 0),
    'debug for 10 min more, then info again',
  )
})

async function withNode(t: Test) {
  const server = await coordinator(t)
  const key = await server.secretOf()
  await online(t, server.url, 'fra-1', key)
  await online(t, server.url, 'alice', key, 'client')
  return server
}
