/**
 * ICE, DTLS and SCTP by node-datachannel (libdatachannel and libjuice). Loaded when it is asked for: it is a
 * native module, and an agent with a WireGuard tunnel has no use for it.
 */
import { createRequire } from 'node:module'
import type * as DataChannels from 'node-datachannel'
import { readEndpoint } from '../../protocol/address.js'
import { candidatesOf, mediaIdOf } from './description.js'
import type { IceServers } from '../ports.js'
import type { IcePair, IcePeer, IcePeerOptions, OpenIce } from './peer.js'

/** Both ends know these two channels beforehand (RFC 8832 is not needed): lossy, unordered, as datagrams are. */
const CHANNELS = { data: 0, check: 1 } as const
const LOSSY = { negotiated: true, unordered: true, maxRetransmits: 0 } as const
/** What may wait in the channel, bytes: 10 ms at 200 Mbit/s. More would only be late. */
const BUFFER_BYTES = 262_144

/** Returns what opens ICE connections, or null when this machine has no build of the library. */
export function nodeIce(): OpenIce | null {
  try {
    const library = createRequire(import.meta.url)('node-datachannel') as typeof DataChannels // its own types
    return options => new NodePeer(library, options)
  } catch {
    return null
  }
}

/** Connections that are open: the library's threads keep the process alive until it is told that none is left. */
let open = 0

class NodePeer implements IcePeer {
  readonly #library: typeof DataChannels
  readonly #options: IcePeerOptions
  readonly #peer: DataChannels.PeerConnection
  #data: DataChannels.DataChannel | null = null
  #check: DataChannels.DataChannel | null = null
  /** Candidates of the peer that the library has. */
  readonly #heard = new Set<string>()
  #closed = false

  constructor(library: typeof DataChannels, options: IcePeerOptions) {
    this.#library = library
    this.#options = options
    this.#peer = new library.PeerConnection('boson', { iceServers: options.iceServers.flatMap(serverOf) })
    open++
    const describe = () => {
      const sdp = this.#closed ? undefined : this.#peer.localDescription()?.sdp
      if (sdp !== undefined) options.events.described(sdp)
    }
    this.#peer.onLocalDescription(describe)
    this.#peer.onLocalCandidate(describe)
    this.#peer.onGatheringStateChange(describe)
    this.#peer.onStateChange(state => {
      if (state === 'closed' || state === 'failed' || state === 'disconnected') this.#over()
    })
    if (options.offers) this.#openChannels()
  }

  hear(sdp: string): void {
    if (this.#closed) return
    const candidates = candidatesOf(sdp)
    if (this.#peer.remoteDescription() === null) {
      this.#peer.setRemoteDescription(sdp, this.#options.offers ? 'answer' : 'offer')
      if (!this.#options.offers) this.#openChannels()
    } else {
      for (const each of candidates)
        if (!this.#heard.has(each)) this.#peer.addRemoteCandidate(each, mediaIdOf(sdp))
    }
    for (const each of candidates) this.#heard.add(each)
  }

  send(packet: Uint8Array): boolean {
    if (this.#data?.isOpen() !== true || this.#data.bufferedAmount() > BUFFER_BYTES) return false
    return this.#data.sendMessageBinary(packet)
  }

  check(bytes: Uint8Array): void {
    if (this.#check?.isOpen() === true) this.#check.sendMessageBinary(bytes)
  }

  pair(): IcePair | null {
    const pair = this.#closed ? null : this.#peer.getSelectedCandidatePair()
    if (pair === null) return null
    return {
      local: spell(pair.local),
      remote: spell(pair.remote),
      relayed: [pair.local, pair.remote].some(({ type }) => type === 'relay'),
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#peer.close()
    if (--open === 0) this.#library.cleanup()
  }

  #openChannels(): void {
    const { events } = this.#options
    const channel = (label: keyof typeof CHANNELS, heard: (bytes: Uint8Array) => void) => {
      const made = this.#peer.createDataChannel(label, { ...LOSSY, id: CHANNELS[label] })
      made.onOpen(() => {
        if (!this.#closed && this.#data?.isOpen() === true && this.#check?.isOpen() === true) events.opened()
      })
      made.onMessage(message => {
        if (!this.#closed && message instanceof Uint8Array) heard(message)
      })
      return made
    }
    this.#data = channel('data', bytes => events.packet(bytes))
    this.#check = channel('check', bytes => events.check(bytes))
  }

  #over(): void {
    if (this.#closed) return
    this.close()
    this.#options.events.closed()
  }
}

/** libjuice speaks UDP only: other transports to a TURN server are left out. */
function serverOf([uri, username, password]: IceServers[number]): DataChannels.IceServer[] {
  const [, scheme, host = '', port = ''] = /^(stun|turn):(.+?):(\d+)(?:\?transport=udp)?$/.exec(uri) ?? []
  if (scheme === undefined) return []
  const at = { hostname: host.replace(/^\[|\]$/g, ''), port: Number(port) }
  return [
    scheme === 'turn'
      ? { ...at, username: username ?? '', password: password ?? '', relayType: 'TurnUdp' }
      : at,
  ]
}

interface Selected {
  readonly address: string
  readonly port: number
  readonly type: string
}

/** Returns a candidate as the wire spells it. What a peer was learnt by (prflx) is its reflexive address. */
function spell({ address, port, type }: Selected): string {
  const kind = type === 'host' || type === 'relay' ? type : 'srflx'
  const at = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  return readEndpoint(at) === null ? '' : `${kind} ${at}`
}
