/**
 * What a password must be: long, and none of those that are tried first. Nothing is said of kinds of characters, which
 * makes passwords worse (NIST SP 800-63B §5.1.1.2).
 */
import type { Random } from '../../kit/random.js'
import { nameKey } from './name.js'

/** Bytes; a longer one would only cost. */
export const BYTES_MAX = 1_024
/** A text of so few different characters is no secret. */
const DIFFERENT_MIN = 5

/** Of lists that were published, those which are long enough to be taken, in lower case. */
const COMMON: ReadonlySet<string> = new Set([
  '1q2w3e4r5t6y',
  '1q2w3e4r5t6y7u8i',
  '1qaz2wsx3edc',
  '1qaz2wsx3edc4rfv',
  'adminadminadmin',
  'administrator',
  'administrator1',
  'changeme1234',
  'changemechangeme',
  'correcthorsebatterystaple',
  'iloveyou1234',
  'letmein12345',
  'letmeinletmein',
  'p@ssw0rd1234',
  'password1234',
  'password12345',
  'password123456',
  'password123!',
  'passwordpassword',
  'qazwsxedcrfv',
  'qwerty123456',
  'qwerty1234567',
  'qwertyqwerty',
  'qwertyuiop12',
  'qwertyuiop123',
  'qwertyuiopasdfghjkl',
  'secret123456',
  'welcome12345',
])

/** Returns what is wrong with a password for an account of this name; null: nothing. It has `min` characters at least. */
export function complaintOf(password: string, name: string, min: number): string | null {
  const characters = Array.from(password) // code points
  if (characters.length < min) return `wanted at least ${min} characters, got ${characters.length}`
  if (Buffer.byteLength(password) > BYTES_MAX) return `wanted at most ${BYTES_MAX} bytes`
  const plain = password.toLowerCase()
  if (plain === nameKey(name) || plain === nameKey(name).split('@')[0])
    return 'wanted another password than the name'
  if (COMMON.has(plain) || isRun(plain) || new Set(characters).size < DIFFERENT_MIN)
    return 'this is one of the passwords that are tried first: wanted one that nobody else would think of'
  return null
}

/** Letters and digits that nobody takes for each other. */
const ALPHABET = 'abcdefghijkmnopqrstuvwxyz2345678'
/** Four groups of five characters of five bits each: 100 bits. */
const GROUPS = 4
const GROUP = 5

/** Returns a password that nobody can guess, easy to type. */
export function newPassword(random: Random): string {
  const letters = [...random.bytes(GROUPS * GROUP)].map(byte => ALPHABET[byte % ALPHABET.length] ?? '')
  return Array.from({ length: GROUPS }, (_, i) => letters.slice(i * GROUP, (i + 1) * GROUP).join('')).join(
    '-',
  )
}

/** Whether each character follows the one before it, up or down: `abcdefghijkl`, `987654321098`. */
function isRun(text: string): boolean {
  const steps = Array.from(text)
    .slice(1)
    .map((character, i) => {
      const step = (character.codePointAt(0) ?? 0) - (text.codePointAt(i) ?? 0)
      return Math.abs(step) === 9 ? -Math.sign(step) : step // from 9 on to 0
    })
  return steps.every(step => step === steps[0] && Math.abs(step) <= 1)
}
