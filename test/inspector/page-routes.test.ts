/** The files of the page as browsers get them. */
import { readdirSync } from 'node:fs'
import { get } from 'node:http'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { inspector } from '../../src/inspector/plugin.js'
import { coordinator } from '../support/coordinator.js'

t.test('the page and its parts', async t => {
  const { port } = await coordinator(t, { plugins: [inspector] })
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
    return { status: response.status, headers: response.headers, body: await response.text() }
  }
  const parts = readdirSync('dist/inspector').filter(name => /^[^.].*\.(?:js|css|svg)$/.test(name))
  const policyOf = (headers: Headers) => headers.get('content-security-policy') ?? ''

  t.test('the frame is asked for each time, and names only files of ours', async t => {
    for (const path of ['/inspector', '/inspector/']) {
      const { status, headers, body } = await ask(path)
      t.equal(status, 200)
      t.match(headers.get('content-type'), 'text/html')
      t.equal(headers.get('cache-control'), 'no-cache')
      for (const [, address = ''] of body.matchAll(/(?:src|href)="([^"]+)"/g))
        t.match(address, /^\/inspector\/[\w.-]+$/, address)
      t.notMatch(body, /<script>|<style|style=|onload=/, 'nothing is inline')
    }
  })

  t.test('no browser takes a script, a style or markup for it from elsewhere', async t => {
    const policy = policyOf((await ask('/inspector')).headers)
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ])
      t.ok(policy.split('; ').includes(part), part)
    t.notMatch(policy, /unsafe|http|\*/)
    t.notMatch(policyOf((await ask('/docs')).headers), /trusted-types/, 'where not every script is ours')
  })

  t.test('parts are kept for ever: their names say what is in them', async t => {
    t.ok(parts.length >= 3)
    const types = { js: /^text\/javascript/, css: /^text\/css/, svg: /^image\/svg\+xml$/ }
    for (const name of parts) {
      const { status, headers } = await ask(`/inspector/${name}`)
      t.equal(status, 200, name)
      t.match(headers.get('cache-control'), 'immutable')
      t.match(headers.get('content-type'), types[name.slice(name.lastIndexOf('.') + 1) as keyof typeof types])
      t.equal(headers.get('x-content-type-options'), 'nosniff')
    }
  })

  t.test('who takes gzip gets gzip', async t => {
    const [name = ''] = parts.filter(part => part.endsWith('.js'))
    const zipped = await new Promise<Buffer>((resolve, reject) => {
      const headers = { 'accept-encoding': 'br, gzip' }
      get({ port, host: '127.0.0.1', path: `/inspector/${name}`, headers }, response => {
        t.equal(response.headers['content-encoding'], 'gzip')
        const pieces: Buffer[] = []
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.on('end', () => resolve(Buffer.concat(pieces)))
      }).on('error', reject)
    })
    const plain = await ask(`/inspector/${name}`, { 'accept-encoding': 'identity' })
    t.ok(gunzipSync(zipped).equals(Buffer.from(plain.body)))
  })

  t.test('nothing but the page is there', async t => {
    for (const name of [
      'nothing.js',
      '.built',
      '..%2fpackage.json',
      '%2e%2e%2fsrc%2fapp%2fmain.js',
      'x',
      'index.html%00',
      '',
    ])
      if (name !== '') t.equal((await ask(`/inspector/${name}`)).status, 404, name)
    t.match(await ask('/inspector/live'), { status: 426, body: /operators connect/ })
  })

  t.test('the first page names it', async t => {
    t.match((await ask('/', { accept: 'text/html' })).body, '/inspector')
  })
})
