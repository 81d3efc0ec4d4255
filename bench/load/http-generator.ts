/** The load generator for HTTP: given requests, it answers with how they went. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLIENT_CORE, type Server, startOn } from '../processes.js'
import type { Usage } from '../servers/control.js'
import { compiled } from './compiled.js'

/** What was measured in the window. A share of 1 is one core. */
export interface HttpLoad {
  readonly perSecond: number
  readonly serverBusy: number
  readonly clientBusy: number
  /** CPU of the server for one request, µs. */
  readonly serverMicros: number
  /** Latency, µs. */
  readonly p50: number
  readonly p99: number
}

export interface HttpLoadOptions {
  readonly conns: number
  /** How long it is measured, and how long it runs before, ms. */
  readonly ms: number
  readonly warm: number
}

/** Sends `requests` in turn over keep-alive connections, one under way on each. Rejects when one is not answered with 2xx. */
export async function httpLoad(
  server: Server,
  requests: readonly string[],
  options: HttpLoadOptions,
): Promise<HttpLoad> {
  const folder = mkdtempSync(join(tmpdir(), 'boson-httpload-'))
  const file = join(folder, 'requests')
  writeFileSync(file, requests.map(request => `${Buffer.byteLength(request)}\n${request}`).join(''))
  const args = Object.entries({ port: server.port, requests: file, ...options })
  const child = startOn(
    CLIENT_CORE,
    compiled('httpload.cpp'),
    args.map(([key, value]) => `${key}=${value}`),
  )
  try {
    await child.line()
    const before = await server.ask<Usage>('usage')
    const result = JSON.parse(await child.line()) as { count: number; seconds: number } & Pick<
      HttpLoad,
      'perSecond' | 'clientBusy' | 'p50' | 'p99'
    > // httpload prints these fields
    const cpuMicros = (await server.ask<Usage>('usage')).cpuMicros - before.cpuMicros
    return {
      ...result,
      serverBusy: cpuMicros / 1e6 / result.seconds,
      serverMicros: cpuMicros / result.count,
    }
  } finally {
    await child.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Returns a request as it goes over the wire. */
export function post(path: string, token: string, body: object): string {
  const text = JSON.stringify(body)
  return [
    `POST ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'User-Agent: bench',
    'Accept: application/json',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    '',
    text,
  ].join('\r\n')
}
