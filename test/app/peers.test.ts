/** `boson peers` against a whole coordinator: the command as it is installed. */
import t from 'tap'
import { access } from '../../src/access/plugin.js'
import { commandIn } from '../support/boson.js'
import { OPERATOR, restServer } from '../support/rest-server.js'
import { newPublicKey, shopOf } from '../support/shop.js'

t.test('boson peers', async t => {
  const server = await restServer(t, { plugins: [access] })
  const boson = commandIn(t, { env: { SECRET_TOKEN: OPERATOR, BOSON_SERVER: server.url } })
  const shop = await shopOf(server)
  const ada = await shop.person('ada')
  t.match(await boson('peers'), { code: 0, stdout: /^no peer yet/ })

  const public_key = newPublicKey()
  const added = await boson('peers', 'add', 'ada', '--name', 'laptop', '--public-key', public_key)
  t.match(added, { code: 0, stdout: '', stderr: /^peer-1 of ada is active: `boson peers config 1`\n$/ })
  t.match(await boson('peers', 'add', 'ada'), { code: 1, stderr: /1 of 1 peers/ })
  await shop.assign(ada, 'family')
  const made = await boson('peers', 'add', String(ada.userId))
  t.match(made.stdout, /^[A-Za-z0-9+/]{43}=\n$/, 'only the key that was made goes to the output')
  t.match(made.stderr, /shown this once/)

  t.match(
    (await boson('peers', '--q', 'laptop')).stdout,
    /^ID +ACCOUNT +NAME +STATE +WHERE +IN THE MESH +ADDRESS\n +1 +ada +laptop +active +mesh +peer-1 +10\.77\.\S+\n$/,
  )
  t.match((await boson('peers', 'show', '1')).stdout, /may connect +yes \(active\)\n/)
  t.match((await boson('peers', 'show', '1')).stdout, `public key  ${public_key}\n`)
  t.match(await boson('peers', 'config', '1'), {
    stdout: /^boson client --server http:\S+ --id peer-1 --key-file peer-1\.key\n$/,
    stderr: /WireGuard alone reaches nobody/,
  })
  t.match(await boson('peers', 'config', '1', '--qr'), { code: 1, stderr: /WireGuard alone/ })
  t.match((await boson('peers', 'deactivate', '1')).stderr, 'peer-1 of ada is inactive\n')
  const shown = JSON.parse((await boson('peers', 'show', '1', '--json')).stdout)
  t.match(shown, { active: false, allowed: { allowed: false, code: 'inactive' } })
  t.match((await boson('peers', 'activate', '1')).stderr, 'is active')
  t.match((await boson('peers', 'remove', '1')).stderr, 'is removed')
  t.match(JSON.parse((await boson('peers', '--json')).stdout), { total: 1 })
  t.match(
    await boson('peers', 'remove', '1'),
    { code: 0, stderr: /is removed/ },
    'it is gone, as it was to be',
  )
  t.match(await boson('peers', 'show', '99'), { code: 1, stderr: /there is no peer 99/ })
  t.match(await boson('peers', 'show', 'ada'), { code: 2, stderr: /wanted the number of a peer/ })
})
