/**
 * The parts a setting is made of: what it accepts, in the words of the error message, and where it is
 * read from. Values from the environment and from flags are text; a file may hold the value itself.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import { readSender, readSmtpUrl, SENDER_WANTED, SMTP_URL_WANTED } from '../access/mail/smtp-url.js'
import { readSshAddress } from '../access/ssh/ssh-address.js'
import { readHostPort } from '../access/wireguard/host-port.js'
import { PolicyRuleError, type PolicyRule, readPolicyRules } from '../mesh/path-policy.js'

/** What a value must be: a zod schema, and the same in words. */
export interface Accepts<T> {
  readonly schema: z.ZodType<T>
  readonly wanted: string
}

export interface Setting<T = unknown> {
  /** Name of the environment variable. */
  readonly env: string
  readonly accepts: Accepts<T>
  /** What holds when nobody says anything; null is "not set". */
  readonly fallback: T | null
  readonly doc: string
  /** A secret has no flag (the process list shows flags) and is never printed. */
  readonly secret: boolean
  /** What `.env.example` shows where there is no default. */
  readonly example: string
}

interface About {
  readonly doc: string
  readonly example?: string
}

/** A setting that may stay unset: then it is null. */
export const optional = <T>(
  env: string,
  accepts: Accepts<T>,
  about: About,
): Setting<T> & { fallback: null } => ({
  env,
  accepts,
  fallback: null,
  secret: false,
  doc: about.doc,
  example: about.example ?? '',
})

/** A setting with a default. */
export const standard = <T>(
  env: string,
  accepts: Accepts<T>,
  fallback: T,
  about: About,
): Setting<T> & { fallback: T & {} } => ({
  env,
  accepts,
  fallback: fallback as T & {}, // a default is never null
  secret: false,
  doc: about.doc,
  example: about.example ?? '',
})

/** A flag that nothing but the command line sets. */
export const flag = <T>(accepts: Accepts<T>, doc: string): Setting<T> & { fallback: null } =>
  optional('', accepts, { doc })

/** A secret: only from the environment or the file. */
export const secret = (
  env: string,
  about: About,
  accepts: Accepts<string> = text(4096),
): Setting<string> & { fallback: null } => ({
  ...optional(env, accepts, about),
  secret: true,
})

/** Returns the flag of a setting: `dataDir` is `--data-dir`. */
export const flagOf = (key: string): string =>
  `--${key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`

// ── what settings accept ─────────────────────────────────────────────────────────────────────────

export const text = (max: number): Accepts<string> => ({
  schema: z.string().min(1).max(max),
  wanted: `text of 1 to ${max} characters`,
})

export const matching = (pattern: RegExp, wanted: string): Accepts<string> => ({
  schema: z.string().regex(pattern),
  wanted,
})

const numeric = z.union([
  z.number(),
  z
    .string()
    .trim()
    .regex(/^-?\d+(\.\d+)?$/)
    .transform(Number),
])

export const whole = (min: number, max: number): Accepts<number> => ({
  schema: numeric.pipe(z.int().min(min).max(max)),
  wanted: `a whole number from ${min} to ${max}`,
})

export const number = (min: number, max: number): Accepts<number> => ({
  schema: numeric.pipe(z.number().min(min).max(max)),
  wanted: `a number from ${min} to ${max}`,
})

export const oneOf = <const V extends readonly [string, ...string[]]>(...values: V): Accepts<V[number]> => ({
  schema: z.enum(values) as z.ZodType<V[number]>, // z.enum spells the same union as a record of its members
  wanted: `one of ${values.join(', ')}`,
})

export const yesNo: Accepts<boolean> = {
  schema: z.union([z.boolean(), z.stringbool()]),
  wanted: 'true or false',
}

export const ipAddress: Accepts<string> = {
  schema: z.string().refine(value => isIP(value) !== 0),
  wanted: 'an IP address',
}

export const ipv6Address: Accepts<string> = {
  schema: z.string().refine(value => isIP(value) === 6),
  wanted: 'an IPv6 address',
}

/** Returns the ports that a range such as 49152-65535 begins and ends with. */
export function readPortRange(text: string): { readonly first: number; readonly last: number } {
  const [first = 0, last = 0] = text.split('-').map(Number)
  return { first, last }
}

/** Ports from one to another, both included. */
export const portRange: Accepts<string> = {
  schema: z
    .string()
    .regex(/^\d{4,5}-\d{4,5}$/)
    .refine(value => {
      const { first, last } = readPortRange(value)
      return first >= 1_024 && first < last && last <= 65_535
    }),
  wanted: 'two ports from 1024 to 65535 such as 49152-65535',
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A time with its unit; gives ms. */
export const lifetime = (minMs: number, maxMs: number): Accepts<number> => ({
  schema: z
    .string()
    .trim()
    .regex(/^\d{1,9}[smhd]$/)
    .transform(value => Number(value.slice(0, -1)) * (UNIT_MS[value.slice(-1)] as number)) // the expression knows no other
    .pipe(z.number().min(minMs).max(maxMs)),
  wanted: 'a time such as 24h, 90m or 3600s',
})

/** A comma-separated list, or a list in the file. */
export const list = (of: Accepts<string>, max = 64): Accepts<readonly string[]> => ({
  schema: z
    .union([
      z.array(z.string()),
      z
        .string()
        .transform(value => value.split(',').flatMap(part => (part.trim() === '' ? [] : [part.trim()]))),
    ])
    .pipe(z.array(z.string()).max(max))
    .refine(values => values.every(value => of.schema.safeParse(value).success)),
  wanted: `a list, separated by commas, of at most ${max} × ${of.wanted}`,
})

export const url = (...protocols: readonly string[]): Accepts<string> => ({
  schema: z.string().refine(value => URL.canParse(value) && protocols.includes(new URL(value).protocol)),
  wanted: `a URL beginning with ${protocols.map(protocol => `${protocol}//`).join(' or ')}`,
})

export const smtpUrl: Accepts<string> = {
  schema: z.string().refine(value => readSmtpUrl(value) !== null),
  wanted: SMTP_URL_WANTED,
}

/** Whom mail comes from. */
export const sender: Accepts<string> = {
  schema: z.string().refine(value => readSender(value) !== null),
  wanted: SENDER_WANTED,
}

/** Rules of `mesh/path-policy.ts`; what is wrong with one is said in its own words. */
export const policyRules: Accepts<readonly PolicyRule[]> = {
  schema: z.string().transform((value, context) => {
    try {
      return readPolicyRules(value)
    } catch (error) {
      if (!(error instanceof PolicyRuleError)) throw error
      context.addIssue({ code: 'custom', message: error.message, params: { wanted: error.message } })
      return z.NEVER
    }
  }),
  wanted: 'rules such as client:anna=relay-only tag:office=direct-only *=auto',
}

/** An origin as browsers send it: scheme, host and port, nothing after it. */
export const origin: Accepts<string> = {
  schema: z.string().refine(value => URL.canParse(value) && new URL(value).origin === value),
  wanted: 'an origin such as https://panel.example.org',
}

/** Where peers find a WireGuard: it goes into their configurations. */
export const hostPort: Accepts<string> = {
  schema: z.string().refine(value => readHostPort(value)?.port != null),
  wanted: 'host:port',
}

export const sshAddress: Accepts<string> = {
  schema: z.string().refine(value => readSshAddress(value) !== null),
  wanted: 'user@host or user@host:port',
}

/** An address or a network; `family` 0 accepts both families. */
export const network = (family: 0 | 4 | 6, minBits: number, maxBits: number): Accepts<string> => ({
  schema: z.string().refine(value => isNetwork(value, family, minBits, maxBits)),
  wanted:
    family === 0
      ? 'an address or a network such as 10.0.0.0/8'
      : `an IPv${family} network such as ${family === 4 ? '10.77.0.0/16' : 'fd77::/64'}, /${minBits} to /${maxBits}`,
})

function isNetwork(value: string, family: 0 | 4 | 6, minBits: number, maxBits: number): boolean {
  const [address = '', bits, ...rest] = value.split('/')
  const found = isIP(address)
  if (found === 0 || rest.length > 0 || (family !== 0 && found !== family)) return false
  if (bits === undefined) return family === 0
  const size = Number(bits)
  return /^\d{1,3}$/.test(bits) && size >= minBits && size <= Math.min(maxBits, found === 4 ? 32 : 128)
}
