/**
 * The applications of the demo: one that sends numbered datagrams at a steady pace, and one that sends each
 * back. They know nothing of the mesh, only UDP ports on this machine.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type Clock, every } from '../../kit/clock.js'
import { Ewma } from '../../kit/ewma.js'

const LOOPBACK = '127.0.0.1'
/** The size of each datagram, bytes: a voice packet. */
const SIZE = 200
/** How often the sender wakes up to send what is due, ms. */
const WAKE_MS = 10
/** More than this many at once would be catching up, not a pace. */
const BURST_MAX = 10
/** Weight of the newest round trip in the one that is shown. */
const RTT_WEIGHT = 0.1

/** Sends every datagram back to where it came from. */
export class EchoApp {
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  static async open(): Promise<EchoApp> {
    const socket = await bound()
    socket.on('message', (datagram, from) => socket.send(datagram, from.port, LOOPBACK, ignored))
    return new EchoApp(socket)
  }

  get port(): number {
    return this.#socket.address().port
  }

  close(): void {
    this.#socket.close()
  }
}

/** Sends numbered datagrams and takes their echoes; each number counts once. */
export class SenderApp {
  sent = 0
  answered = 0
  readonly #clock: Clock
  readonly #socket: Socket
  readonly #rtt = new Ewma(RTT_WEIGHT)
  /** When each unanswered datagram left, by number. */
  readonly #pending = new Map<number, number>()
  #stop: () => void = () => {}

  private constructor(clock: Clock, socket: Socket) {
    this.#clock = clock
    this.#socket = socket
    socket.on('message', datagram => this.#answer(datagram))
  }

  static async open(clock: Clock): Promise<SenderApp> {
    return new SenderApp(clock, await bound())
  }

  /** Smoothed round trip, ms; null before the first echo. */
  get rttMs(): number | null {
    return this.#rtt.value
  }

  /** Returns whether an echo may still come: a datagram sent within the last `ms` has none yet. */
  awaits(ms: number): boolean {
    const since = this.#clock.now() - ms
    for (const sentMs of this.#pending.values()) if (sentMs > since) return true
    return false
  }

  /** Sends `perSecond` datagrams a second to the port that `to` names at the time; none while it names none. */
  start(perSecond: number, to: () => number | undefined): void {
    let lastMs = this.#clock.now()
    let due = 0
    this.#stop = every(this.#clock, WAKE_MS, () => {
      const now = this.#clock.now()
      due = Math.min(BURST_MAX, due + ((now - lastMs) * perSecond) / 1000)
      lastMs = now
      const port = to()
      for (; due >= 1; due--) if (port !== undefined) this.#send(port, now)
    })
  }

  /** Sends no more; echoes still count. */
  rest(): void {
    this.#stop()
  }

  close(): void {
    this.#stop()
    this.#socket.close()
  }

  #send(port: number, now: number): void {
    const datagram = Buffer.alloc(SIZE)
    datagram.writeUInt32BE(++this.sent)
    this.#pending.set(this.sent, now)
    this.#socket.send(datagram, port, LOOPBACK, ignored)
  }

  #answer(datagram: Buffer): void {
    if (datagram.length !== SIZE) return
    const number = datagram.readUInt32BE()
    const sentMs = this.#pending.get(number)
    if (sentMs === undefined) return
    this.#pending.delete(number)
    this.answered++
    this.#rtt.add(this.#clock.now() - sentMs)
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1_048_576 })
  socket.bind({ address: LOOPBACK, port: 0, exclusive: true })
  await once(socket, 'listening')
  socket.on('error', ignored)
  return socket
}

/** Datagrams may be lost: that is what is counted. */
const ignored = (): void => {}
