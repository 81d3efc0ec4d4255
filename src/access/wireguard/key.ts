/** WireGuard keys as the tools of WireGuard spell them: 32 bytes in base64. */

const KEY = /^[A-Za-z0-9+/]{43}=$/

/** Returns the 32 bytes of a key; null when the text is no key, or another spelling of one. */
export function readKey(text: string): Uint8Array | null {
  if (!KEY.test(text)) return null
  const key = Buffer.from(text, 'base64')
  // The last character has two bits to spare: only one of four spellings is the key's own.
  return keyText(key) === text ? Uint8Array.from(key) : null
}

export const keyText = (key: Uint8Array): string => Buffer.from(key).toString('base64')
