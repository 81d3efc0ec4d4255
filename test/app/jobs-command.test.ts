/** What `boson jobs` makes of a command line, and of a job. */
import t from 'tap'
import { jobLine, jobsPage, type JobView, payloadOf, typeOf } from '../../src/app/commands/jobs.js'

t.test('kinds are spelled as commands are, or as the wire has them', async t => {
  t.same(['log-level', 'logLevel', 'update-config', 'add_key'].map(typeOf), [
    'logLevel',
    'logLevel',
    'updateConfig',
    'add_key',
  ])
})

t.test('words become what goes with a job', async t => {
  t.same(payloadOf('logLevel', ['debug'], { for: '10m' }), { level: 'debug', forMs: 600_000 })
  t.same(payloadOf('logLevel', ['debug'], {}), { level: 'debug' })
  t.same(payloadOf('updateConfig', ['drainWithin=30', 'logLevel=info', 'a=b=c'], {}), {
    drainWithin: 30,
    logLevel: 'info',
    a: 'b=c',
  })
  t.same(payloadOf('custom', [], { payload: '[1,{"a":null}]' }), [1, { a: null }])
  t.equal(payloadOf('restart', [], {}), null)
  const table: readonly (readonly [string, readonly string[], Record<string, unknown>, RegExp])[] = [
    ['logLevel', [], {}, /wanted a level/],
    ['logLevel', ['debug'], { for: 'soon' }, /--for: wanted a time/],
    ['updateConfig', [], {}, /wanted settings/],
    ['updateConfig', ['drainWithin'], {}, /wanted NAME=VALUE/],
    ['restart', ['now'], {}, /wanted nothing more/],
    ['custom', [], { payload: '{' }, /--payload: wanted JSON/],
  ]
  for (const [type, words, options, says] of table)
    t.throws(() => payloadOf(type, words, options), { message: says })
})

t.test('a job in one line', async t => {
  t.equal(jobLine(job({})), 'job 17  fra-1  restart: waits for fra-1 to be there')
  const told = { status: 'delivered', deliveries: 1 } as const
  t.equal(jobLine(job(told)), 'job 17  fra-1  restart: told, no word yet')
  t.equal(jobLine(job({ ...told, deliveries: 2 })), 'job 17  fra-1  restart: told 2 times, no word yet')
  t.equal(jobLine(job({ ...told, accepted_at: '2026-01-01T00:00:01.000Z' })), 'job 17  fra-1  restart: begun')
  t.equal(jobLine(job({ ...told, step: 'ending' })), 'job 17  fra-1  restart: ending')
  t.equal(jobLine(job({ status: 'done' })), 'job 17  fra-1  restart: done')
})

t.test('jobs as a table', async t => {
  t.equal(jobsPage([], 0), 'no job was ordered')
  const page = jobsPage(
    [
      job({
        status: 'failed',
        result: { reason: 'nothing was changed', refused: { mtu: 'at the next start' } },
      }),
      job({ id: 16, status: 'done', result: { pid: 42 }, deliveries: 1 }),
    ],
    Date.parse('2026-01-01T00:02:00Z'),
  )
  t.same(page.split('\n'), [
    'JOB  NODE   KIND     STATE   TOLD  BY        AGE    WHAT CAME OF IT',
    ' 17  fra-1  restart  failed     0  operator  2 min  nothing was changed {"refused":{"mtu":"at the next start"}}',
    ' 16  fra-1  restart  done       1  operator  2 min  {"pid":42}',
  ])
})

const job = (changes: Partial<JobView>): JobView => ({
  id: 17,
  server_id: 'fra-1',
  type: 'restart',
  status: 'pending',
  step: null,
  result: null,
  created_at: '2026-01-01T00:00:00.000Z',
  created_by: 'operator',
  accepted_at: null,
  deliveries: 0,
  ...changes,
})
