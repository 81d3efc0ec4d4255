/** One POST to one address, within a time. What the receiver answers beside its status is read and forgotten. */
import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { isIP } from 'node:net'
import type { Clock } from '../../kit/clock.js'
import { hostOf, portOf } from './destination.js'

export interface Letter {
  readonly url: URL
  /** The address that the name stands for: it is not looked up again. */
  readonly address: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly timeoutMs: number
}

/** What is read of an answer, bytes; then the connection is closed. */
const ANSWER_MAX = 64 * 1024

/** Resolves with the status of the answer, whatever it is; rejects when there is none in time. Follows nothing. */
export function post(clock: Clock, { url, address, headers, body, timeoutMs }: Letter): Promise<number> {
  return new Promise((resolve, reject) => {
    const host = hostOf(url)
    const request = (url.protocol === 'https:' ? requestTls : requestPlain)({
      host: address,
      port: portOf(url),
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      // A connection of its own: whose it was before has no say in where it leads.
      agent: false,
      servername: isIP(host) === 0 ? host : '',
      headers: { ...headers, Host: url.host, 'Content-Length': Buffer.byteLength(body) },
    })
    let status: number | undefined
    const timer = clock.setTimeout(() => {
      request.destroy(new Error('there was no answer in time'))
    }, timeoutMs)
    const end = (error?: Error) => {
      clock.clearTimeout(timer)
      if (status !== undefined) resolve(status)
      else reject(error ?? new Error('the connection was closed without an answer'))
    }
    request.on('response', response => {
      status = response.statusCode ?? 0
      let read = 0
      response.on('data', (piece: Buffer) => {
        read += piece.length
        if (read > ANSWER_MAX) request.destroy()
      })
      response.on('error', end)
      response.on('close', end)
    })
    request.on('error', end)
    request.on('close', () => end())
    request.end(body)
  })
}
