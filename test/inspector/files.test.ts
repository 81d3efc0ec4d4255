/** What the build has made of the page, as a browser will load it. */
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'

const FOLDER = resolve(import.meta.dirname, '../../inspector')
/** Everything but the coast lines, which only the map loads, bytes under gzip. */
const MOST = 150_000

const files = readdirSync(FOLDER).filter(name => /\.(?:html|js|css|svg|json)$/.test(name))
const isMapData = (name: string) => name.startsWith('land-')

t.test('the page is small: under 150 kB gzipped in all but the map data', async t => {
  const sizes = files.map(name => [name, gzipSync(readFileSync(resolve(FOLDER, name))).length] as const)
  const total = sizes.reduce((sum, [name, size]) => (isMapData(name) ? sum : sum + size), 0)
  t.ok(total < MOST, `${total} bytes`, { sizes })
})

t.test('nothing in it is inline, and nothing is loaded from elsewhere', async t => {
  const html = readFileSync(resolve(FOLDER, 'index.html'), 'utf8')
  t.notMatch(html, /<script(?![^>]* src=)/, 'every script is a file')
  t.notMatch(html, /<style|\sstyle=|\son\w+=/, 'so is every style, and no element has a handler')
  for (const [, address = ''] of html.matchAll(/(?:src|href)="([^"]+)"/g))
    t.match(address, /^\/inspector\//, `${address} is of this coordinator`)
})
