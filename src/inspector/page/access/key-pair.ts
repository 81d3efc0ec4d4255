/** Makes WireGuard keys in the browser: the private one leaves it only in the hands of its owner. */

export interface KeyPair {
  /** 32 bytes in base64, as WireGuard spells keys. */
  readonly privateKey: string
  readonly publicKey: string
}

/** Whether this browser can make keys here: it can where the page came by TLS, or from this machine. */
export const canMakeKeys = (): boolean => globalThis.crypto?.subtle !== undefined

/** Resolves with new keys; rejects when the browser does not know the curve. */
export async function makeKeyPair(): Promise<KeyPair> {
  const pair = (await crypto.subtle.generateKey({ name: 'X25519' }, true, ['deriveBits'])) as CryptoKeyPair
  const { d = '', x = '' } = await crypto.subtle.exportKey('jwk', pair.privateKey)
  return { privateKey: ordinary(d), publicKey: ordinary(x) }
}

/** Returns base64 of URLs as the ordinary one, which is padded. */
const ordinary = (text: string): string => `${text.replaceAll('-', '+').replaceAll('_', '/')}=`
