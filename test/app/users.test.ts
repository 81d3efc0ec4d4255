/** `boson users` against a whole coordinator: the command as it is installed. */
import t from 'tap'
import { access } from '../../src/access/plugin.js'
import { commandIn } from '../support/boson.js'
import { OPERATOR, restServer } from '../support/rest-server.js'

t.test('boson users', async t => {
  const server = await restServer(t, { plugins: [access] })
  const env = { SECRET_TOKEN: OPERATOR, BOSON_SERVER: server.url }
  const boson = commandIn(t, { env })
  const signIn = (name: string, password: string) =>
    server.ask('POST', '/api/v1/sign-in', { token: null, body: { name, password } })

  await t.test('the first account is an admin, and only its password goes to the output', async t => {
    t.match((await boson('users')).stdout, 'boson users first')
    const { code, stdout, stderr } = await boson('users', 'first', 'ada')
    t.equal(code, 0)
    t.match(stdout, /^[a-z2-8-]{23}\n$/)
    t.match(stderr, /ada can sign in at http\S+ as admin.*shown this once/)
    t.match(await signIn('ada', stdout.trim()), { status: 200 })
    const again = await boson('users', 'first', 'eve')
    t.match(again, { code: 1, stdout: '', stderr: /there are accounts already/ })
  })

  await t.test('an account is added with a password of one’s own, changed, and removed', async t => {
    const fed = commandIn(t, { env, input: 'correct horse battery\n' })
    const added = await fed('users', 'add', 'bob@example.org', '--role', 'viewer', '--password-stdin')
    t.match(added, { code: 0, stdout: '', stderr: /bob@example.org can sign in/ })
    const { token } = (await signIn('bob@example.org', 'correct horse battery')).body
    const asBob = await boson('users', '--token', token)
    t.match(asBob, { code: 4, stderr: /this needs the role operator; yours is viewer/ })

    const set = await boson(
      'users',
      'set',
      'bob@example.org',
      '--role',
      'operator',
      '--new-password',
      '--json',
    )
    const { account, password } = JSON.parse(set.stdout)
    t.equal(account.role, 'operator')
    t.match(await signIn('bob@example.org', 'correct horse battery'), { status: 401 })
    t.match(await signIn('bob@example.org', password), { status: 200 })
    await boson('users', 'set', 'bob@example.org', '--disable')
    t.match(await signIn('bob@example.org', password), { status: 403 })

    const { stdout } = await boson('users', 'list')
    t.match(
      stdout,
      /^NAME +ROLE +STATE +LAST SIGN-IN \(UTC\) +MADE \(UTC\)\nada +admin +good .*\nbob@example.org +operator +disabled /,
    )
    t.match(JSON.parse((await boson('users', '--role', 'operator', '--json')).stdout), { total: 1 })
    t.match(await boson('users', 'remove', 'bob@example.org'), {
      code: 0,
      stderr: 'bob@example.org is removed\n',
    })
    t.match(await boson('users', 'remove', 'bob@example.org'), { code: 1, stderr: /there is no account/ })
    t.match(await boson('users', 'remove', 'ada'), { code: 1, stderr: /the last admin/ })
  })
})
