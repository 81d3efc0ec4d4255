/**
 * Alert rules and dashboard: what they ask of Prometheus is what a coordinator tells it. A coordinator with nodes,
 * clients, paths and refusals is looked at, since a metric that has no samples yet shows no labels.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { MeshClient, MeshNode } from '../../src/agent/index.js'
import { commandIn, startServer } from '../support/boson.js'
import { MetricsPage, readingOf } from '../support/promql.js'
import { until } from '../support/until.js'
import { PATH_REASONS } from '../../src/mesh/path-reason.js'

const ROOT = resolve(import.meta.dirname, '../../..')
const MONITORING = join(ROOT, 'docs/monitoring')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const rules = read('docs/monitoring/alerts.yml')
const ALERTS = [...rules.matchAll(/^ +- alert: (\w+)$/gm)].map(([, name = '']) => name)
/** Of Prometheus itself, and what it adds to every sample. */
const ITS_OWN = new Set(['up'])
const TARGET_LABELS = ['job', 'instance']
/** Values that stand for something that has not happened on the page that is looked at. */
const RARE: Readonly<Record<string, readonly string[]>> = {
  'boson_denied_total reason': ['proof_failed', 'key_mismatch'],
  'boson_paths reason': PATH_REASONS,
  'boson_paths tier': ['relayed', 'turned', 'direct'],
  'bosonserver_api_requests_total status': ['5..'],
}

const missing = spawnSync('promtool', ['--version']).error === undefined ? false : 'promtool is not installed'

t.test('alert rules hold, and each fires and stays quiet when it should', { skip: missing }, async t => {
  promtool(t, 'check', 'rules', 'alerts.yml')
  promtool(t, 'test', 'rules', 'alerts.test.yml')
})

t.test(
  'every alert is tested both ways, says how bad it is, and the operator’s page says what to do',
  async t => {
    const tests = read('docs/monitoring/alerts.test.yml')
    const [, section = ''] = read('docs/operations.md').split('\n## Alerts\n')
    const [table = ''] = section.split('\n## ')
    t.ok(ALERTS.length >= 20)
    t.equal(new Set(ALERTS).size, ALERTS.length)
    for (const name of ALERTS) {
      const [, rule = ''] = rules.split(new RegExp(`- alert: ${name}\n`))
      const [text = ''] = rule.split('- alert: ')
      t.match(text, /severity: (?:critical|warning)\n/, name)
      t.match(
        text,
        new RegExp(
          `summary: .+\\n[^]*description: >-\\n.+\\n +runbook: docs/operations.md, Alerts, ${name}\n`,
        ),
      )
      t.match(tests, `- name: ${name} fires\n`)
      t.match(tests, `- name: ${name} stays quiet\n`)
    }
    const rows = [...table.matchAll(/^\| `(\w+)` +\| .{20,} \|$/gm)].map(([, name = '']) => name)
    t.same(rows, ALERTS, 'a row each, in the order of the rules')
  },
)

t.test('what alerts and dashboard ask for is what a coordinator tells', async t => {
  const page = await livingPage(t)
  const alerts = [...rules.matchAll(/^ +expr: (?:>-\n((?: {10}.+\n)+)|(.+)\n)/gm)].map(([, folded, plain]) =>
    (folded ?? plain ?? '').trim().replaceAll(/\n +/g, ' '),
  )
  t.equal(alerts.length, ALERTS.length)
  for (const [n, expression] of alerts.entries()) check(t, page, ALERTS[n] ?? '', expression)
  for (const { title, expression } of queries()) check(t, page, title, expression)
})

t.test('the dashboard can be read: by Grafana, and by people', async t => {
  const { panels, templating } = dashboard()
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  t.same(
    templating.list.map(({ name }) => name),
    ['datasource', 'job', 'instance'],
  )
  const overlapping = panels.filter((one, n) =>
    panels.slice(0, n).some(other => overlap(one.gridPos, other.gridPos)),
  )
  t.same(
    overlapping.map(({ title }) => title),
    [],
  )
  for (const { title, type, description, targets = [] } of panels) {
    if (type === 'row') continue
    t.match(description, /^[A-Z].+\.$/, title)
    t.ok(targets.length > 0, title)
    for (const { expr, legendFormat } of targets) {
      const { grouping, selectors } = readingOf(plain(expr))
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        t.ok(
          /\bby \(/.test(expr) ? grouping.includes(label) : label === 'node_id' && selectors.length === 1,
          `${title}: {{${label}}} is left by ${expr}`,
        )
    }
  }
})

t.test('Prometheus can read every query of the dashboard', { skip: missing }, async t => {
  const recorded = queries().map(
    ({ expression }, n) => `      - record: query_${n}\n        expr: ${JSON.stringify(expression)}`,
  )
  const file = join(t.testdir(), 'queries.yml')
  writeFileSync(file, `groups:\n  - name: dashboard\n    rules:\n${recorded.join('\n')}\n`)
  promtool(t, 'check', 'rules', file)
})

const overlap = (a: Place, b: Place): boolean =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h

function promtool(t: Test, ...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: MONITORING, encoding: 'utf8' })
  t.equal(status, 0, `promtool ${args.slice(0, 2).join(' ')}\n${stdout}${stderr}`)
}

/** Checks the names, labels and values of an expression against a page. */
function check(t: Test, page: MetricsPage, title: string, expression: string): void {
  const { selectors, grouping } = readingOf(expression)
  t.ok(selectors.length > 0, `${title} reads something`)
  const labels = new Set(TARGET_LABELS)
  for (const { metric, matchers } of selectors) {
    if (ITS_OWN.has(metric)) continue
    t.ok(page.has(metric), `${title}: ${metric} is told`)
    for (const label of page.labelsOf(metric)) labels.add(label)
    for (const matcher of matchers.filter(({ label }) => !TARGET_LABELS.includes(label))) {
      t.ok(page.labelsOf(metric).includes(matcher.label), `${title}: ${metric} has ${matcher.label}`)
      const rare = RARE[`${metric} ${matcher.label}`] ?? []
      t.ok(
        matcher.value.split('|').every(value => rare.includes(value)) || page.matches(metric, matcher),
        `${title}: ${metric} may have ${matcher.label} ${matcher.value}`,
      )
    }
  }
  for (const label of grouping) t.ok(labels.has(label), `${title}: by ${label}`)
}

interface Place {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

interface Dashboard {
  readonly panels: readonly {
    readonly id: number
    readonly title: string
    readonly type: string
    readonly description?: string
    readonly gridPos: Place
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
  }[]
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] }
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] }
}

const dashboard = (): Dashboard => JSON.parse(read('docs/monitoring/grafana.json')) as Dashboard

/** Returns every query of the dashboard, with its variables filled in. */
function queries(): readonly { readonly title: string; readonly expression: string }[] {
  const { panels, annotations, templating } = dashboard()
  return [
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
    ...annotations.list.map(({ name, expr }) => [name, expr] as const),
    ...templating.list.flatMap(({ name, definition }) => {
      const found = /^label_values\((.+), \w+\)$/.exec(definition ?? '')
      return found === null ? [] : [[name, found[1] ?? ''] as const]
    }),
  ].map(([title, expr]) => ({ title, expression: plain(expr) }))
}

const plain = (expr: string): string =>
  expr.replaceAll('$__rate_interval', '5m').replaceAll(/"\$(?:job|instance)"/g, '".*"')

/** Resolves with what a coordinator tells that has a node, a client on a path, and somebody whom it refused. */
async function livingPage(t: Test): Promise<MetricsPage> {
  const boson = commandIn(t)
  const server = await startServer(t, { cwd: boson.cwd })
  const { stdout } = await boson('enrol', '--uses', 'any', '--port', String(server.port))
  const agent = {
    url: `ws://127.0.0.1:${server.port}`,
    credential: stdout.trim(),
    gauges: () => ({ cpuTotalPct: 5, memTotalMb: 1_000, memFreeMb: 600 }),
    // It can be asked about its NAT: it is counted, as unknown.
    prober: { probe: () => {}, stop: () => {} },
  }
  const node = new MeshNode({ ...agent, id: 'fra-1', privateKey: randomBytes(32) })
  const client = new MeshClient({ ...agent, id: 'anna', privateKey: randomBytes(32) })
  const stranger = new MeshNode({ ...agent, id: 'eve', privateKey: randomBytes(32), credential: 'bek_none' })
  t.teardown(() => Promise.all([node, client, stranger].map(one => one.stop())))
  await node.start()
  await client.start()
  await client.route()
  await t.rejects(stranger.start())
  const page = async () => await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text()
  await until('there is a path', async () => /^boson_paths\{/m.test(await page()))
  await until('a node has told of itself', async () =>
    /^bosonserver_node_memory_usage_percent\{/m.test(await page()),
  )
  await until('a database was looked at', async () => /^boson_pgmon_server_up\{/m.test(await page()))
  const text = await page()
  await server.end('SIGTERM')
  return new MetricsPage(text)
}
