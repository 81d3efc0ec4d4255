/** Private keys as the client wants them. */
import ssh2, { type ParsedKey } from 'ssh2'

/** Returns the private key that a text has; throws, without a word of it, when there is none, or a passphrase is wanted. */
export function readPrivateKey(text: string | Buffer, passphrase?: string): ParsedKey {
  const key = ssh2.utils.parseKey(text, passphrase)
  if (key instanceof Error) throw key
  if (!key.isPrivateKey()) throw new Error('it is a public key')
  return key
}
