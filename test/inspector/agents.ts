/** Agents of the library with a profile of their own, as the inspector’s tests need them. */
import { generateKeyPairSync } from 'node:crypto'
import type { Test } from 'tap'
import { MeshClient, MeshNode } from '../../src/agent/index.js'
import { until } from '../support/until.js'

export interface AgentWish {
  readonly id: string
  /** Software and region: any text. */
  readonly agent: string
  readonly region: string
  readonly country: string | null
  readonly latitude: number | null
  readonly longitude: number | null
}

/** Resolves with an agent that has its session; it is stopped when the test ends. */
export async function agentOn(
  { t, port, secret }: { readonly t: Test; readonly port: number; readonly secret: string },
  role: 'node' | 'client',
  { id, agent, region, country, latitude, longitude }: AgentWish,
): Promise<MeshNode | MeshClient> {
  const jwk = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' })
  const place = country !== null && latitude !== null && longitude !== null
  const options = {
    url: `ws://127.0.0.1:${port}`,
    id,
    agent,
    privateKey: Buffer.from(jwk.d ?? '', 'base64url'),
    credential: secret,
    profile: { region, ...(place && { country, latitude, longitude }) },
  }
  const made = role === 'node' ? new MeshNode(options) : new MeshClient(options)
  t.teardown(() => made.stop())
  await made.start()
  await until(`${id} stands`, () => made.status().state === 'online')
  return made
}
