/** Tokens of agents over HTTP, and what is no such token (RFC 8725). */
import { SignJWT, UnsecuredJWT } from 'jose'
import t from 'tap'
import type { IdentityView } from '../../src/actors/ports.js'
import { agentTokens } from '../../src/app/agent-tokens.js'
import { SimulatedClock } from '../support/simulated-clock.js'

const SECRET = 'a-secret-that-is-known-to-this-test-only'
const OTHER = 'another-secret-that-is-known-to-this-test'
const KEY = new TextEncoder().encode(SECRET)

function begin(secret = SECRET, oldSecret: string | null = null, clock = new SimulatedClock()) {
  const revoked = new Set<string>()
  const mesh = {
    identity: (id: string) =>
      ({ id, role: 'node', revokedAtMs: revoked.has(id) ? 1 : null }) as unknown as IdentityView, // all that is asked
  }
  return {
    clock,
    revoked,
    tokens: agentTokens({ clock, secret, oldSecret, serverId: 'eu-1', lifeMs: 60_000, mesh }),
  }
}

t.test('a token names its agent until it is over', async t => {
  const { tokens, clock } = begin()
  const { token, expiresAtMs } = await tokens.issue({ id: 'fra-1', role: 'node' })
  t.same(await tokens.recognise(token), { kind: 'agent', id: 'fra-1', role: 'node' })
  t.ok(expiresAtMs <= clock.wallMs() + 60_000)
  clock.advance(61_000)
  t.match(await tokens.recognise(token), { kind: 'stranger' })
})

t.test('a token of a revoked identity is worth nothing, at once', async t => {
  const { tokens, revoked } = begin()
  const { token } = await tokens.issue({ id: 'fra-1', role: 'node' })
  t.match(await tokens.recognise(token), { kind: 'agent' })
  revoked.add('fra-1')
  t.match(await tokens.recognise(token), { kind: 'stranger' })
})

t.test('a secret can be changed: the one before still counts, and signs nothing new', async t => {
  const before = await begin(OTHER).tokens.issue({ id: 'fra-1', role: 'node' })
  const { tokens } = begin(SECRET, OTHER)
  t.match(await tokens.recognise(before.token), { kind: 'agent' })
  const { token } = await tokens.issue({ id: 'fra-1', role: 'node' })
  t.match(await begin(OTHER).tokens.recognise(token), { kind: 'stranger' })
})

t.test('what looks like a token and is none', async t => {
  const { tokens, clock } = begin()
  const claims = { type: 'node' }
  const good = (header: Record<string, unknown> = {}) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'boson-agent+jwt', ...header })
      .setIssuer('eu-1')
      .setAudience('boson:agents')
      .setSubject('fra-1')
      .setExpirationTime(Math.floor(clock.wallMs() / 1_000) + 60)
  t.match(await tokens.recognise(await good().sign(KEY)), { kind: 'agent' }, 'this one is good')
  const bad: Readonly<Record<string, string>> = {
    'no algorithm': new UnsecuredJWT(claims).setSubject('fra-1').encode(),
    'another algorithm': await good({ alg: 'HS512' }).sign(KEY),
    'another type': await good({ typ: 'JWT' }).sign(KEY),
    'another issuer': await good().setIssuer('eu-2').sign(KEY),
    'another audience': await good().setAudience('boson:operators').sign(KEY),
    'no end': await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'boson-agent+jwt' })
      .setIssuer('eu-1')
      .setAudience('boson:agents')
      .setSubject('fra-1')
      .sign(KEY),
    'a role that there is not': await new SignJWT({ type: 'admin' })
      .setProtectedHeader({ alg: 'HS256', typ: 'boson-agent+jwt' })
      .setIssuer('eu-1')
      .setAudience('boson:agents')
      .setSubject('fra-1')
      .setExpirationTime(Math.floor(clock.wallMs() / 1_000) + 60)
      .sign(KEY),
    'another secret': await good().sign(new TextEncoder().encode(OTHER)),
    'no token at all': 'hello',
  }
  for (const [what, token] of Object.entries(bad))
    t.match(await tokens.recognise(token), { kind: 'stranger' }, what)
})
