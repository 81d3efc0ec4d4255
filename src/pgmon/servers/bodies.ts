/** What may be said of a server. Each field becomes one option of a connection, as it is, or none. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { z } from 'zod'
import { id, oneOf, whole, yesNo } from '../../http/fields.js'
import { POOL_PROFILES, SSH_AUTHS, TLS } from '../ports.js'

/** PostgreSQL cuts longer names, bytes. */
const NAME_MAX = 63
const HOST_MAX = 253
const SECRET_MAX = 1_024
/** A chain of a few certificates, characters. */
const CA_MAX = 32_768
const ID_MAX = 2 ** 31 - 1

const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/
/** What resolvers would take for an address in another spelling: 127.1, 0x7f.0.0.1, 2130706433. */
const NUMBER = /^(?:\d+|0[xX][0-9A-Fa-f]*)$/

/** Returns whether a text is an address, or a name that can be nothing else. */
function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true
  const labels = text.replace(/\.$/, '').split('.')
  return labels.every(label => LABEL.test(label)) && !NUMBER.test(labels.at(-1) ?? '')
}

const aHost = { error: 'wanted a name or an address, such as db1.example.org or 10.20.0.8' }
const host = z.string(aHost).max(HOST_MAX, aHost).refine(isHost, aHost).meta({ example: 'db1.example.org' })

const port = whole(1, 65_535)

const hasControls = (text: string): boolean => /\p{Cc}/u.test(text)

/** Of a role or a database: PostgreSQL takes any text. */
const pgName = (what: string) => {
  const error = `wanted the name of a ${what}, 1 to ${NAME_MAX} bytes without control characters`
  return z
    .string({ error })
    .refine(text => text !== '' && Buffer.byteLength(text) <= NAME_MAX && !hasControls(text), { error })
}

const aSecret = { error: `wanted 1 to ${SECRET_MAX} characters on one line, or null for none` }
const secret = z
  .string(aSecret)
  .min(1, aSecret)
  .max(SECRET_MAX, aSecret)
  .refine(text => !/[\0\r\n]/.test(text), aSecret)
  .nullable()

const aCertificate = { error: 'wanted certificates in PEM, or null' }
const tlsCa = z
  .string(aCertificate)
  .max(CA_MAX, aCertificate)
  .refine(isCertificate, aCertificate)
  .nullable()
  .meta({ description: 'Of who signs its certificate, PEM; null: whom everybody trusts. For `verify-full`.' })

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined
  } catch {
    return false
  }
}

const aDescription = { error: 'wanted at most 256 characters on one line' }
const aLogin = { error: 'wanted 1 to 64 characters without spaces' }
const aHostKey = { error: 'wanted a fingerprint such as SHA256:…, as ssh-keygen -l tells it, or null' }

const fields = {
  name: id.meta({ example: 'db1' }),
  enabled: yesNo,
  description: z
    .string(aDescription)
    .max(256, aDescription)
    .refine(text => !hasControls(text), aDescription),
  host,
  port,
  database: pgName('database').meta({ description: 'The one that it is asked in, when none is named.' }),
  user: pgName('role').meta({ example: 'boson_monitor' }),
  password: secret,
  tls: oneOf(...TLS).meta({
    description: '`require` encrypts and believes any certificate; `verify-full` looks at it.',
  }),
  tls_ca: tlsCa,
  pool: oneOf(...POOL_PROFILES).meta({
    description: 'Connections kept and at most: default 1 to 5, stats_db 2 to 10, high_load 5 to 20.',
  }),
  ssh_auth: oneOf(...SSH_AUTHS).meta({ description: '`none`: its machine is not asked.' }),
  ssh_host: host.nullable().meta({ description: 'Null: as `host`.' }),
  ssh_port: port,
  ssh_user: z.string(aLogin).regex(/^[^\s\p{Cc}]{1,64}$/u, aLogin),
  ssh_key_id: whole(1, ID_MAX).nullable(),
  ssh_password: secret,
  ssh_host_key: z
    .string(aHostKey)
    .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, aHostKey)
    .nullable()
    .meta({ description: 'By which its machine is known; `test-ssh` shows it.' }),
}

export const ServerCreate = z.strictObject({
  ...fields,
  enabled: fields.enabled.default(true),
  description: fields.description.default(''),
  port: fields.port.default(5_432),
  database: fields.database.default('postgres'),
  password: fields.password.default(null),
  tls: fields.tls.default('require'),
  tls_ca: fields.tls_ca.default(null),
  pool: fields.pool.default('default'),
  ssh_auth: fields.ssh_auth.default('none'),
  ssh_host: fields.ssh_host.default(null),
  ssh_port: fields.ssh_port.default(22),
  ssh_user: fields.ssh_user.default('boson'),
  ssh_key_id: fields.ssh_key_id.default(null),
  ssh_password: fields.ssh_password.default(null),
  ssh_host_key: fields.ssh_host_key.default(null),
})
export type ServerWish = z.output<typeof ServerCreate>

export const ServerUpdate = z
  .strictObject(fields)
  .partial()
  .refine(change => Object.keys(change).length > 0, { error: 'wanted at least one field to change' })
/** What is to be otherwise; what is absent stays. */
export type ServerChange = { readonly [F in keyof ServerWish]?: ServerWish[F] | undefined }
