/** Agents that speak HTTP, as tests send them. */
import { newKeyPair } from '../../src/protocol/proof.js'
import type { RestServer } from '../support/rest-server.js'

export interface HttpNode {
  readonly id: string
  readonly token: string
  readonly privateKey: Uint8Array
  readonly body: Registration
  // biome-ignore lint/suspicious/noExplicitAny: what the coordinator answered
  readonly registered: any
}

type Registration = ReturnType<typeof registration>

/** Returns what a node registers with, as in the documents of the first BosonServer. */
export const registration = (nodeId: string, publicKey: Uint8Array) => ({
  nodeId,
  publicKey: Buffer.from(publicKey).toString('base64'),
  networkInfo: { ipv4: '192.168.1.1', natType: 'FullCone', localPort: 51820 },
  capabilities: { maxConnections: 100, bandwidth: { up: 100, down: 100 } },
  location: { country: 'US', region: 'US-CA' },
})

/** Resolves with a node that has registered over HTTP with an enrolment key; `more` goes into the body. */
export async function httpNode(server: RestServer, id: string, more: object = {}): Promise<HttpNode> {
  const { privateKey, publicKey } = newKeyPair()
  const body = { ...registration(id, publicKey), ...more }
  const answer = await server.ask('POST', '/api/v1/nodes/register', {
    body,
    token: await server.enrolmentKey('node'),
  })
  if (answer.status !== 201) throw new Error(`${id}: ${JSON.stringify(answer.body)}`)
  return { id, body, privateKey, registered: answer.body, token: String(answer.body.sessionToken) }
}

/** Returns what a client asks for a route with, as in the documents of the first BosonServer. */
export const routeRequest = (clientId: string, more: object = {}) => ({
  clientId,
  clientNetworkInfo: { ipv4: '192.168.1.2', natType: 'Symmetric' },
  ...more,
})

export interface HttpClient {
  readonly id: string
  readonly token: string
  readonly routeId: string
  readonly nodeId: string
  // biome-ignore lint/suspicious/noExplicitAny: what the coordinator answered
  readonly answer: any
}

/** Resolves with a new client that has a route; `more` goes into the request. */
export async function httpClient(server: RestServer, id: string, more: object = {}): Promise<HttpClient> {
  const token = await server.enrolmentKey('client')
  const answer = await server.ask('POST', '/api/v1/routing/request', { body: routeRequest(id, more), token })
  if (answer.status !== 200) throw new Error(`${id}: ${JSON.stringify(answer.body)}`)
  const { selectedRoute: route } = answer.body
  const { sessionToken, nodeEndpoint } = route
  return {
    id,
    token: String(sessionToken),
    routeId: route.id,
    nodeId: nodeEndpoint.nodeId,
    answer: answer.body,
  }
}
