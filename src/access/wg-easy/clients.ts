/** Clients as the versions of wg-easy list them: the same under different names. */
import { z } from 'zod'
import { ipBytes, ipText } from '../../protocol/address.js'
import { readKey } from '../wireguard/key.js'
import { WgEasyError } from './errors.js'

export interface WgEasyClient {
  /** It goes into paths: letters, digits and dashes. */
  readonly id: string
  readonly name: string
  readonly publicKey: Uint8Array
  readonly enabled: boolean
  /** null: the list does not tell. */
  readonly overlay4: string | null
  readonly overlay6: string | null
  /** What its counters say now; null while WireGuard does not know it. */
  readonly bytes: number | null
}

const address = z
  .string()
  .transform(text => ipBytes(text))
  .transform(ip => (ip === null ? null : ipText(ip)))
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullish()

const client = z.object({
  id: z.union([z.int().min(0).transform(String), z.string().regex(/^[A-Za-z0-9-]{1,64}$/)]),
  name: z.string(),
  publicKey: z.string().transform((text, context) => {
    const key = readKey(text)
    if (key === null) context.addIssue('wanted a WireGuard key')
    return key ?? new Uint8Array()
  }),
  enabled: z.boolean().default(true),
  createdAt: z.string().optional(),
  address: address.optional(), // before 15
  ipv4Address: address.optional(),
  ipv6Address: address.optional(),
  transferRx: count,
  transferTx: count,
})

/** Returns the clients of an answer, the oldest first; throws when it is no list of clients. */
export function readClients(body: Buffer): readonly WgEasyClient[] {
  const rows = z.array(client).safeParse(parsed(body))
  if (!rows.success) {
    const [issue] = rows.error.issues
    throw new WgEasyError(
      'WG_EASY_ANSWER',
      `wg-easy: wanted a list of clients, and ${issue?.path.join('.') || 'all of it'} is something else`,
    )
  }
  return rows.data.toSorted(byAge).map(row => ({
    id: row.id,
    name: row.name,
    publicKey: row.publicKey,
    enabled: row.enabled,
    overlay4: row.ipv4Address ?? row.address ?? null,
    overlay6: row.ipv6Address ?? null,
    bytes: row.transferRx == null || row.transferTx == null ? null : row.transferRx + row.transferTx,
  }))
}

type Row = z.infer<typeof client>

/** The same order for everyone who looks: of two of one name the first stays. */
const byAge = (a: Row, b: Row): number =>
  timeOf(a) - timeOf(b) || Number(a.id) - Number(b.id) || (a.id < b.id ? -1 : 1)

const timeOf = ({ createdAt }: Row): number => Date.parse(createdAt ?? '') || 0

/** Returns what the text says as JSON; undefined when it is none. */
function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}
