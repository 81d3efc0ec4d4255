/** A thread that makes or opens one key and ends: both may take seconds of a core. Entered by a Worker. */
import { generateKeyPairSync } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import type { KeyAnswer, KeyOrder } from './key-orders.js'
import { type KeyParts, partsOf } from './key-parts.js'
import { KeyComplaint, openKey } from './open-key.js'

parentPort?.postMessage(answerTo(workerData as KeyOrder)) // given by KeyWork

function answerTo(order: KeyOrder): KeyAnswer {
  try {
    return { key: order.do === 'open' ? openKey(order.text, order.passphrase) : generated(order) }
  } catch (error) {
    if (error instanceof KeyComplaint) return { complaint: error.message }
    throw error
  }
}

function generated(order: Extract<KeyOrder, { do: 'generate' }>): KeyParts {
  return order.type === 'rsa'
    ? partsOf(generateKeyPairSync('rsa', { modulusLength: order.bits }).privateKey, 'rsa')
    : partsOf(generateKeyPairSync('ed25519').privateKey, 'ed25519')
}
