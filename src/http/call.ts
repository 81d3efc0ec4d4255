/**
 * One request of ours, within a time, to an address that may be called. Follows nothing, and reads no more of an answer
 * than it was told to.
 */
import { type IncomingHttpHeaders, request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { isIP } from 'node:net'
import type { Clock } from '../kit/clock.js'
import { type Destinations, hostOf, portOf } from './destination.js'

export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** For everything, from the name to the last byte of the answer, ms. */
  readonly timeoutMs: number
  /** What is read of an answer, bytes; then the connection is closed. */
  readonly answerMax: number
}

export interface CallAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** All of it, or as much as was read. */
  readonly body: Buffer
  /** There was more than was to be read, or it ended too early. */
  readonly isPartial: boolean
}

/** Resolves with the answer, whatever its status; rejects when there is none in time, or the URL leads where it may not. */
export async function call(clock: Clock, destinations: Destinations, request: Call): Promise<CallAnswer> {
  const beganMs = clock.now()
  const address = await inTime(clock, request.timeoutMs, destinations.addressOf(request.url))
  const timeoutMs = request.timeoutMs - (clock.now() - beganMs)
  return send(clock, address, { ...request, timeoutMs })
}

/** Calls this address: the name that it stands for is not looked up again. */
function send(clock: Clock, address: string, request: Call): Promise<CallAnswer> {
  const { method, url, headers, body, timeoutMs, answerMax } = request
  return new Promise((resolve, reject) => {
    const host = hostOf(url)
    const sent = (url.protocol === 'https:' ? requestTls : requestPlain)({
      host: address,
      port: portOf(url),
      path: `${url.pathname}${url.search}`,
      method,
      // A connection of its own: whose it was before has no say in where it leads.
      agent: false,
      servername: isIP(host) === 0 ? host : '',
      headers: {
        ...headers,
        Host: url.host,
        ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
      },
    })
    let answer: Pick<CallAnswer, 'status' | 'headers'> | undefined
    let isPartial = true
    const pieces: Buffer[] = []
    const timer = clock.setTimeout(() => {
      sent.destroy(new Error('there was no answer in time'))
    }, timeoutMs)
    const end = (error?: Error) => {
      clock.clearTimeout(timer)
      if (answer !== undefined) resolve({ ...answer, body: Buffer.concat(pieces), isPartial })
      else reject(error ?? new Error('the connection was closed without an answer'))
    }
    sent.on('response', response => {
      answer = { status: response.statusCode ?? 0, headers: response.headers }
      let read = 0
      response.on('data', (piece: Buffer) => {
        read += piece.length
        if (read > answerMax) sent.destroy()
        else pieces.push(piece)
      })
      response.on('end', () => {
        isPartial = read > answerMax
      })
      response.on('error', end)
      response.on('close', end)
    })
    sent.on('error', end)
    sent.on('close', () => end())
    sent.end(body)
  })
}

function inTime<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => reject(new Error('the name was not looked up in time')), ms)
    promise.then(resolve, reject).finally(() => clock.clearTimeout(timer))
  })
}
