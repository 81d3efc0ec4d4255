import t from 'tap'
import {
  agreed,
  type Agreed,
  areCompatible,
  policyOf,
  type PolicyRule,
  readPolicyRules,
  strictest,
} from '../../src/mesh/path-policy.js'

t.test('the stricter of two policies holds, and two that contradict hold together never', async t => {
  t.equal(strictest([]), 'auto')
  t.equal(strictest(['auto', 'relay-only']), 'relay-only')
  t.equal(strictest(['direct-only', 'auto', 'direct-only']), 'direct-only')
  t.equal(strictest(['relay-only', 'auto', 'direct-only']), null)
  t.equal(strictest(['auto', null]), null)
})

t.test('two policies go together when there is one that honours both', async t => {
  const all: readonly Agreed[] = ['auto', 'relay-only', 'direct-only', null]
  for (const one of all)
    for (const other of all) {
      t.equal(areCompatible(one, other), strictest([one, other]) !== null, `${one} and ${other}`)
      t.equal(agreed(one, other), strictest([one, other]), `of ${one} and ${other}`)
    }
})

t.test(
  'a rule about the id counts before one about a tag, and that before the one about everybody',
  async t => {
    const rules = readPolicyRules(
      'client:anna=auto, node:anna=relay-only tag:office=direct-only\n*=relay-only',
    )
    const client = (id: string, tags: string[] = [], policy: PolicyRule['policy'] = 'auto') =>
      policyOf(rules, { role: 'client', id, profile: { tags, policy } })
    t.equal(client('anna', ['office']), 'auto')
    t.equal(client('bert', ['office', 'home']), 'direct-only')
    t.equal(client('bert', ['home']), 'relay-only')
    t.equal(client('anna', [], 'direct-only'), 'direct-only', 'its own wish counts beside the rules')
    t.equal(client('bert', [], 'direct-only'), null, 'and may contradict them')
    t.equal(policyOf([], { role: 'node', id: 'anna', profile: { tags: [], policy: 'auto' } }), 'auto')
  },
)

for (const [text, wanted] of [
  ['client:anna', '"client:anna" to end in =auto, =relay-only, =direct-only'],
  ['client:anna=never', '"client:anna=never" to end in'],
  ['client:anna=auto=auto', 'to end in'],
  ['user:anna=auto', '"user:anna=auto" to begin with client:ID, node:ID, tag:TAG or *'],
  ['node:=auto', 'to begin with'],
  ['node:a:b=auto', 'to begin with'],
  ['anna=auto', 'to begin with'],
  ['*=auto *=relay-only', 'one rule about *; there are two'],
  ['tag:a=auto,tag:a=auto', 'one rule about tag:a; there are two'],
] as const) {
  t.test(`the rule ${text} is refused in words that help`, async t => {
    t.throws(() => readPolicyRules(text), { code: 'BAD_POLICY_RULE', message: new RegExp(escaped(wanted)) })
  })
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}
