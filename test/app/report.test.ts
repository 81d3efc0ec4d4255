/** `boson report`, as a script on a node's machine runs it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { commandIn } from '../support/boson.js'

t.test('a report is left whole in the inbox of the node', async t => {
  const boson = commandIn(t)
  const stateDir = join(boson.cwd, 'state')
  const inbox = join(stateDir, 'reports', 'inbox')
  const report = (...args: string[]) => boson('report', ...args, '--state-dir', stateDir)
  const done = { code: 0, stdout: '', stderr: '' }
  t.same(
    await report(
      'log',
      'upstream failed',
      '--level',
      'error',
      '--details',
      'timeout',
      '--metadata',
      '{"retries":3}',
    ),
    done,
  )
  t.same(await report('client', '--ip', '185.142.123.45', '--country-code', 'DE'), done)
  t.same(
    await report(
      'traffic',
      '--type',
      'domain',
      '--resource',
      'shop.example',
      '--in',
      '1000',
      '--requests',
      '3',
    ),
    done,
  )
  const letters = readdirSync(inbox)
    .sort()
    .map(name => JSON.parse(readFileSync(join(inbox, name), 'utf8')) as unknown)
  t.match(letters, [
    { kind: 'log', level: 'error', message: 'upstream failed', details: 'timeout', metadata: { retries: 3 } },
    { kind: 'client', ip: '185.142.123.45', countryCode: 'DE' },
    { kind: 'traffic', resourceType: 'domain', resourceId: 'shop.example', inboundBytes: 1_000, requests: 3 },
  ])
  t.same((await report('status')).stdout, `3 reports wait in ${inbox}\n`)
  t.same(JSON.parse((await report('status', '--json')).stdout), { folder: inbox, waiting: 3 })
})

t.test('what cannot be reported is said before anything is left', async t => {
  const boson = commandIn(t)
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['log', 'x', '--level', 'loud'], /level/],
    [['log', 'x', '--metadata', '{'], /--metadata: wanted JSON/],
    [['client'], /--ip/],
    [['traffic', '--type', 'proxy', '--resource', 'p', '--in', '-5'], /--in/],
  ]
  for (const [args, says] of wrong) {
    const { code, stderr } = await boson('report', ...args, '--state-dir', join(boson.cwd, 'state'))
    t.equal(code, 2, args.join(' '))
    t.match(stderr, says)
  }
  t.same(readdirSync(boson.cwd), [])
})
