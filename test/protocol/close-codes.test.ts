import t from 'tap'
import { CLOSE, mayReturn } from '../../src/protocol/close-codes.js'

/** After these an agent stays away until a person acts; after the others it comes back by itself. */
const FINAL = ['keyMismatch', 'left', 'notAuthorised', 'proofFailed', 'replaced', 'revoked']

t.test('a close code tells by its range whether to come back', async t => {
  for (const [name, { code }] of Object.entries(CLOSE)) {
    t.ok(code >= 4000 && code <= 4999, `${name} is an application's code`)
    t.equal(mayReturn(code), code < 4500, name)
  }
  t.same(
    Object.entries(CLOSE)
      .filter(([, { code }]) => !mayReturn(code))
      .map(([name]) => name)
      .toSorted(),
    FINAL,
  )
})

t.test('every code is used once and says why', async t => {
  const reasons = Object.values(CLOSE)
  t.equal(new Set(reasons.map(reason => reason.code)).size, reasons.length)
  for (const { doc } of reasons) t.match(doc, /\.$/)
})

t.test('any code of the WebSocket itself means: come back', async t => {
  for (const code of [1000, 1001, 1005, 1006, 1009, 1011, 1015, 3000, 3999, 4000, 4499])
    t.ok(mayReturn(code), `${code}`)
  for (const code of [4500, 4999]) t.notOk(mayReturn(code), `${code}`)
})
