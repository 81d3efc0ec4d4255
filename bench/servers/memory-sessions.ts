/** Sessions without a connection: in every other way what a real one is, on a socket that is a few functions. */
import type { Connection, Intake, Socket } from '../../src/actors/ports.js'
import { encode } from '../../src/protocol/codec.js'
import { SENT } from '../../src/protocol/sent.js'
import { ticketOf } from './population.js'

/** Resumes the sessions `[first, first + count)`; returns their connections. */
export function resumeInMemory(intake: Intake, first: number, count: number): Connection[] {
  return Array.from({ length: count }, (_, i) => {
    const n = first + i
    const connection = intake.opened(new SilentSocket(`127.30.${(n >> 8) & 255}.${n & 255}`))
    connection.received(encode({ type: 'resume', ticket: ticketOf(n) }))
    return connection
  })
}

/** Takes everything and keeps nothing. */
export class SilentSocket implements Socket {
  readonly remote: string

  constructor(remote: string) {
    this.remote = remote
  }
  send(): typeof SENT.ok {
    return SENT.ok
  }
  buffered(): number {
    return 0
  }
  close(): void {}
}
