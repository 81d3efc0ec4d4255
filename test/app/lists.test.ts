/** Lists on a terminal, each asked of a small mesh by the command. */
import t from 'tap'
import { listPage } from '../../src/app/commands/list-command.js'
import { AUDIT } from '../../src/app/commands/lists.js'
import { commandIn } from '../support/boson.js'
import { OPERATOR } from '../support/rest-server.js'
import { smallMesh } from '../support/small-mesh.js'

t.test('nodes, clients, routes and the audit are listed', async t => {
  const { url } = await smallMesh(t)
  const boson = commandIn(t, { env: { SECRET_TOKEN: OPERATOR, BOSON_SERVER: url } })
  const list = async (...args: string[]) => {
    const { code, stdout, stderr } = await boson(...args)
    t.equal(code, 0, stderr)
    return stdout
  }
  const nodes = await list('nodes', '--sort', '-id')
  t.match(nodes, /^NODE +IP +COUNTRY +STATE +NAT +CLIENTS/)
  t.ok(nodes.indexOf('fra-1') < nodes.indexOf('ams-1'), 'in the order asked for')
  t.match(await list('clients', '--node', 'fra-1'), /alice +10\.77\.\d+\.\d+ +online +fra-1/)
  t.match(await list('routes'), /alice +fra-1 +\d+ +relayed/)
  t.match(await list('audit', '--kind', 'node.drained'), /node\.drained +operator +ams-1/)
  t.equal(await list('clients', '--node', 'ams-1'), 'no clients like that\n')
  t.match(JSON.parse(await list('nodes', '--json', '--limit', '1')), { count: 1, total: 2, next: String })
  const { code, stderr } = await boson('nodes', '--sort', 'beauty')
  t.equal(code, 1)
  t.match(stderr, /sort: wanted one of id, links/)
})

t.test('a list that goes on says how', async t => {
  const event = {
    auditId: '1',
    atMs: 0,
    kind: 'k',
    actor: 'a',
    subject: 's',
    detail: { uses: 1, note: 'x y' },
  }
  t.equal(
    listPage(AUDIT, { rows: [event], total: 9, next: 'abc', isPart: false }),
    [
      'WHEN (UTC)           WHAT  BY  TO  DETAIL',
      '1970-01-01 00:00:00  k     a   s   uses=1 note=x y',
      '… 1 of 9; the next ones: --after abc',
    ].join('\n'),
  )
})
