/** A UDP socket as STUN sees it. The socket that direct paths share is one; here is one that stands alone. */
import type { Endpoint } from '../../protocol/address.js'
import { readMessage, type StunMessage } from '../../turn/codec.js'
import type { OpenDatagrams } from '../ports.js'

export interface StunSocket {
  /** One endpoint for each usable address of this machine. */
  local(): readonly Endpoint[]
  send(datagram: Uint8Array, to: Endpoint): void
  /**
   * Lets `ear` hear STUN messages, whose bytes are only lent; it returns whether a message was for it.
   * Returns what takes it away again.
   */
  onStun(ear: (message: StunMessage, from: Endpoint) => boolean): () => void
}

/** Opens a socket that is used for nothing else; rejects when none can be had. */
export async function openStunSocket(openDatagrams: OpenDatagrams): Promise<StunSocket & { close(): void }> {
  const ears = new Set<Parameters<StunSocket['onStun']>[0]>()
  const datagrams = await openDatagrams((datagram, from) => {
    const message = readMessage(Buffer.from(datagram))
    if (message !== null) for (const ear of ears) if (ear(message, from)) return
  })
  return {
    local: () => datagrams.local(),
    send: (datagram, to) => datagrams.send(datagram, to),
    onStun: ear => {
      ears.add(ear)
      return () => void ears.delete(ear)
    },
    close: () => datagrams.close(),
  }
}
