/** The WireGuard private key in a file, in base64 as `wg` reads it. */
import { newKeyPair } from '../protocol/proof.js'
import { AgentError } from './errors.js'
import { keyBytes } from './identity.js'
import { isOpenToOthers, readPrivate, writePrivate } from './private-file.js'

/**
 * Returns the 32 bytes of the key in the file; makes the file, mode 0600, when there is none. Throws an
 * AgentError when others may read it: such a key is not private any more.
 */
export function keyFile(path: string): Uint8Array {
  const text = readPrivate(path)
  if (text === null) {
    const { privateKey } = newKeyPair()
    writePrivate(path, `${Buffer.from(privateKey).toString('base64')}\n`)
    return privateKey
  }
  if (isOpenToOthers(path)) {
    throw new AgentError('KEY_FILE', `${path}: others may read this private key; run: chmod 600 ${path}`)
  }
  try {
    return keyBytes(text)
  } catch (error) {
    throw new AgentError('KEY_FILE', `${path}: wanted one WireGuard private key in base64`, { cause: error })
  }
}
