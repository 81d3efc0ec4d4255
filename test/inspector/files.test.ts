/** What the build has made of the page, as a browser will load it. */
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'

const FOLDER = resolve(import.meta.dirname, '../../inspector')
/** Of what is loaded for one view, bytes under gzip. */
const MOST = 150_000

const files = readdirSync(FOLDER).filter(name => /\.(?:html|js|css|svg|json)$/.test(name))
const textOf = (name: string) => readFileSync(resolve(FOLDER, name), 'utf8')
const sizeOf = (name: string) => gzipSync(textOf(name)).length
/** The coast lines: large, and only the map loads them. */
const isMapData = (name: string) => name.startsWith('land-')

/** What is loaded with a file, itself included. */
function loadedWith(name: string, found: Set<string> = new Set()): Set<string> {
  if (found.has(name)) return found
  found.add(name)
  for (const [, other = ''] of textOf(name).matchAll(/(?:from|import)\s*"\.\/([\w.-]+)"/g))
    loadedWith(other, found)
  return found
}

t.test('the page is small: what any view loads is under 150 kB gzipped, the map data apart', async t => {
  const start = files.filter(name => name === 'index.html' || textOf('index.html').includes(`/${name}"`))
  const later = files.filter(name => name.endsWith('.js') && !start.includes(name) && !isMapData(name))
  t.ok(later.length > 0, 'parts are loaded when they are looked at')
  for (const part of later) {
    const loaded = [...new Set([...start, ...loadedWith(part)])].filter(name => !isMapData(name))
    const sizes = loaded.map(name => [name, sizeOf(name)] as const)
    const total = sizes.reduce((sum, [, size]) => sum + size, 0)
    t.ok(total < MOST, `${part}: ${total} bytes`, { sizes })
  }
})

t.test('nothing in it is inline, and nothing is loaded from elsewhere', async t => {
  const html = readFileSync(resolve(FOLDER, 'index.html'), 'utf8')
  t.notMatch(html, /<script(?![^>]* src=)/, 'every script is a file')
  t.notMatch(html, /<style|\sstyle=|\son\w+=/, 'so is every style, and no element has a handler')
  for (const [, address = ''] of html.matchAll(/(?:src|href)="([^"]+)"/g))
    t.match(address, /^\/inspector\//, `${address} is of this coordinator`)
})
