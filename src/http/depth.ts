/** How deep JSON is, told before it is read: what reads, stores or prints it recurses. */
const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPENS = 0x5b // [ and, with the bit of 0x20, {
const CLOSES = 0x5d // ] and }

/** Lists and objects in each other that JSON from outside may have: nobody wants more. */
export const DEPTH_MAX = 16

/** Returns how deep lists and objects are in each other, of text that is JSON. */
export function depthOf(text: Uint8Array): number {
  let depth = 0
  let deepest = 0
  let isString = false
  for (let i = 0; i < text.length; i++) {
    const byte = text[i] as number // within
    if (isString) {
      if (byte === BACKSLASH) i++
      else if (byte === QUOTE) isString = false
    } else if (byte === QUOTE) isString = true
    else if ((byte & 0xdf) === OPENS) deepest = Math.max(deepest, ++depth)
    else if ((byte & 0xdf) === CLOSES) depth--
  }
  return deepest
}
