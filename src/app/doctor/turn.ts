/** Whether STUN and TURN can be had, by trying each server as an agent would. */
import { endpointText } from '../../protocol/address.js'
import type { Tried } from '../../turn/try-server.js'
import { failed, type Finding, ok, reasonOf, warning } from './check.js'

export interface TurnPorts {
  readonly mode: 'embedded' | 'coturn' | 'external' | 'off'
  /** As agents are told; empty when nobody knows them. */
  readonly urls: readonly string[]
  /** Whether the coordinator runs, which serves them or runs who does. */
  readonly runs: boolean
  /** Whether there is a secret to sign a credential with. */
  readonly secret: boolean
  readonly attempt: (url: string) => Promise<Tried>
}

export async function turn(ports: TurnPorts): Promise<readonly Finding[]> {
  const { mode, urls, runs, secret, attempt } = ports
  const name = 'turn'
  if (mode === 'off')
    return [
      warning(
        name,
        'off',
        'pairs that cannot meet directly use the relay over TCP; BOSON_TURN_MODE=embedded offers more',
      ),
    ]
  if (mode !== 'external' && !runs) return [ok(name, `served by the coordinator when it runs (${mode})`)]
  if (urls.length === 0) return [ok(name, 'on ports that were chosen at the start: boson server says which')]
  return Promise.all(
    urls.map(async url => {
      const isTurn = !url.startsWith('stun:')
      try {
        const { mapped, relayed, roundTripMs } = await attempt(url)
        const took = `${url} answers in ${roundTripMs.toFixed(1)} ms`
        if (relayed !== null)
          return ok(
            name,
            `${took}, sees us as ${endpointText(mapped)}, and relays at ${endpointText(relayed)}`,
          )
        if (!isTurn || secret) return ok(name, `${took}, sees us as ${endpointText(mapped)}`)
        return warning(
          name,
          `${took}; whether it relays was not tried`,
          'set TURN_STATIC_SECRET, or run this as the coordinator’s user',
        )
      } catch (error) {
        return failed(name, `${url}: ${reasonOf(error)}`, adviceFor(error, ports))
      }
    }),
  )
}

function adviceFor(error: unknown, { mode }: TurnPorts): string {
  const reason = reasonOf(error)
  if (/refused with 401/.test(reason)) return 'the server has another TURN_STATIC_SECRET, or its clock is off'
  if (/refused with 4(86|87)|refused with 508/.test(reason)) return 'it is full: widen BOSON_TURN_PORTS'
  if (/certificate|altname/i.test(reason))
    return 'see to BOSON_TLS_CERT and TURN_HOST: agents refuse this certificate too'
  return mode === 'external'
    ? 'see whether that server runs, and what BOSON_TURN_URLS says'
    : 'see whether its port is open, and what the coordinator’s log says of TURN'
}
