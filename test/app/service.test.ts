/** docs/systemd/boson.service, as systemd’s own tool reads it. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { SETTINGS } from '../../src/app/settings.js'

const ROOT = resolve(import.meta.dirname, '../../..')
/** Of 10, in tenths: systemd calls up to 2 well protected; a service without any setting has 9.6. */
const EXPOSURE_MAX = 20

const analyze = (...args: string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' })
const missing = analyze('--version').error === undefined ? false : 'systemd-analyze is not installed'

t.test('P-09: the unit of systemd is right, and gives the process few rights', { skip: missing }, async t => {
  const unit = join(t.testdir(), 'boson.service')
  const text = readFileSync(join(ROOT, 'docs/systemd/boson.service'), 'utf8')
  writeFileSync(unit, text.replace('/usr/bin/boson', join(ROOT, 'bin/boson')))
  const verified = analyze('verify', unit)
  t.match([verified.status, verified.stderr], [0, ''])
  t.equal(analyze('security', '--offline=true', `--threshold=${EXPOSURE_MAX}`, unit).status, 0)
})

t.test('the unit sets what are settings', async t => {
  const unit = readFileSync(join(ROOT, 'docs/systemd/boson.service'), 'utf8')
  const names = [...unit.matchAll(/^Environment=(\w+)=/gm)].map(([, name = '']) => name)
  t.ok(names.length > 0)
  const known = Object.values(SETTINGS).map(({ env }) => env)
  t.same(
    names.filter(name => !known.includes(name)),
    [],
  )
})
