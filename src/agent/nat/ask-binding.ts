/** One Binding request, sent again until an answer comes or a few seconds are over. */
import type { Clock } from '../../kit/clock.js'
import type { Endpoint } from '../../protocol/address.js'
import { ATTRIBUTE, METHOD, readAddress } from '../../turn/attributes.js'
import { readMessage, valueOf } from '../../turn/codec.js'
import { TurnError } from '../../turn/errors.js'
import { Transactions } from '../../turn/transactions.js'
import { MessageWriter } from '../../turn/writer.js'
import type { StunSocket } from './probe-nat.js'

export interface BindingQuestion {
  readonly clock: Clock
  readonly socket: StunSocket
  readonly server: Endpoint
  /** 12 bytes. */
  readonly transactionId: Uint8Array
  /** Flags of CHANGE-REQUEST: answer from elsewhere. */
  readonly change?: number
  readonly signal: AbortSignal
}

export type BindingAnswer =
  | {
      readonly kind: 'answered'
      readonly mapped: Endpoint
      /** The server's other address and port (OTHER-ADDRESS); null when it names none. */
      readonly other: Endpoint | null
      readonly rttMs: number
    }
  /** The server does not do what was asked of it. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'silent' }

/** Sent at 0, 0.5 and 1.5 s, given up after 2.5 s: of 100 requests over a link that loses 10 % each way, one is lost. */
const TRIES = 3
const LAST_WAIT = 2

/** Resolves to what came back; never rejects. */
export async function askBinding(question: BindingQuestion): Promise<BindingAnswer> {
  const { clock, socket, server, transactionId, signal } = question
  const id = Buffer.from(transactionId)
  const transactions = new Transactions({
    clock,
    send: bytes => socket.send(bytes, server),
    tries: TRIES,
    lastWait: LAST_WAIT,
  })
  const stopHearing = socket.onStun(message => {
    if (!message.transactionId.equals(id)) return false
    const kept = readMessage(Buffer.from(message.bytes)) // what was heard is only lent
    return kept !== null && transactions.take(kept)
  })
  const stop = () => transactions.stop()
  signal.addEventListener('abort', stop)
  const startedMs = clock.now()
  try {
    const answer = await transactions.ask(requestOf(question))
    const mapped = readAddress(valueOf(answer, ATTRIBUTE.xorMappedAddress), answer.transactionId)
    if (answer.class !== 'success' || mapped === null) return { kind: 'refused' }
    const other = readAddress(valueOf(answer, ATTRIBUTE.otherAddress), null)
    return { kind: 'answered', mapped, other, rttMs: clock.now() - startedMs }
  } catch (error) {
    if (error instanceof TurnError) return { kind: 'silent' }
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
    stopHearing()
  }
}

function requestOf({ transactionId, change = 0 }: BindingQuestion): Buffer {
  const request = new MessageWriter('request', METHOD.binding, transactionId)
  if (change !== 0) request.addUint32(ATTRIBUTE.changeRequest, change)
  return request.addFingerprint().finish()
}
