/** People and tariffs of a coordinator under test: made over HTTP, as an admin and the people themselves make them. */
import { newKeyPair } from '../../src/protocol/proof.js'
import type { Answer, RestServer } from './rest-server.js'

export interface Person {
  readonly name: string
  readonly userId: number
  readonly token: string
}

export interface Shop {
  /** Resolves with a token of somebody who is there. */
  signIn(name: string): Promise<string>
  person(name: string, role?: 'user' | 'operator' | 'admin'): Promise<Person>
  /** `solo` is for one device and `family` for five, for thirty days each. */
  assign(person: Pick<Person, 'userId'>, tariff: 'solo' | 'family'): Promise<void>
  /** Makes a peer of one's own; with a key of one's own unless the wish says otherwise. */
  peer(person: Person, wish?: object): Promise<Answer>
}

/** Resolves with a shop that has two tariffs. */
export async function shopOf({ ask }: RestServer): Promise<Shop> {
  const passwords = new Map<string, string>()
  const tariffs = new Map<string, number>()
  for (const [name, device_limit] of [
    ['solo', 1],
    ['family', 5],
  ] as const) {
    const body = { name, price: '9.90', duration_days: 30, device_limit }
    tariffs.set(name, (await ask('POST', '/tariffs/', { body })).body.id)
  }
  const signIn = async (name: string): Promise<string> => {
    const body = { name, password: passwords.get(name) }
    return (await ask('POST', '/api/v1/sign-in', { token: null, body })).body.token
  }
  return {
    signIn,
    async person(name, role = 'user') {
      const { body } = await ask('POST', '/api/v1/users', { body: { name, role } })
      passwords.set(name, body.password)
      return { name, userId: body.account.userId, token: await signIn(name) }
    },
    async assign({ userId }, tariff) {
      const body = { tariff_id: tariffs.get(tariff) }
      const { status } = await ask('POST', `/auth/assign_tariff?user_id=${userId}`, { body })
      if (status !== 200) throw new Error(`assigning answered ${status}`)
    },
    peer: ({ token }, wish = { public_key: newPublicKey() }) =>
      ask('POST', '/vpn_peers/self', { token, body: wish }),
  }
}

/** Returns a public key that nobody else has, as `wg pubkey` prints it. */
export const newPublicKey = (): string => Buffer.from(newKeyPair().publicKey).toString('base64')
