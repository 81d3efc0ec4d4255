import { readFileSync } from 'node:fs'
import t from 'tap'
import { closeFor } from '../../src/actors/admission/refusals.js'
import { protocolPage } from '../../src/protocol/docs.js'
import { CLOSE } from '../../src/protocol/close-codes.js'
import { encode } from '../../src/protocol/codec.js'
import { hexBlock, REFUSALS } from '../../src/protocol/docs-tables.js'
import { WORKED } from '../../src/protocol/worked-proof.js'
import { MESSAGES } from './bytes.js'
import { GOLDEN } from './golden.js'

const page = protocolPage()

t.test('the committed page is the one that the definitions make (npm run docs)', async t => {
  const committed = readFileSync(new URL('../../../src/protocol/README.md', import.meta.url), 'utf8')
  t.equal(committed, page)
})

t.test('every message is on the page with each of its fields and its bytes', async t => {
  const unbroken = page.replaceAll('\n', '')
  for (const message of MESSAGES) {
    t.match(page, `### 0x${message.code.toString(16).padStart(2, '0')} ${message.name}\n`)
    for (const key of message.order) t.match(page, `\`${key}\``)
    t.match(unbroken, GOLDEN[message.name as keyof typeof GOLDEN])
  }
})

t.test('every close code is on the page', async t => {
  for (const { code } of Object.values(CLOSE)) t.match(page, `| ${code} |`)
})

t.test('the page tells the close that really follows each refusal', async t => {
  for (const [name, { close }] of Object.entries(REFUSALS)) {
    t.equal(closeFor(name as keyof typeof REFUSALS), close, name)
    t.match(page, `| \`${name}\` | ${CLOSE[close].code} |`)
  }
})

t.test('the worked proof is on the page, step by step', async t => {
  const steps = [
    WORKED.agentPrivateKey,
    WORKED.challenge,
    WORKED.sharedSecret,
    WORKED.macKey,
    WORKED.macInput,
    WORKED.proof,
  ]
  for (const step of steps) t.match(page, hexBlock(step, '  '))
  t.match(page, hexBlock(encode(WORKED.register)))
})

t.test('links within the page lead somewhere', async t => {
  const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, text = '']) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
  for (const [, anchor = ''] of page.matchAll(/\]\(#([^)]+)\)/g)) t.ok(headings.includes(anchor), anchor)
})
