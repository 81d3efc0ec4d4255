/** Whether the certificate can be used, for how long, for which names, and whether it is the one that is shown. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { failed, type Finding, ok, reasonOf, warning } from './check.js'

export interface CertificatePorts {
  /** PEM, read; an error when it could not be; null when none is configured. */
  readonly cert: string | Error | null
  readonly key: string | Error | null
  /** Mode of the key's file; null when it is not there. */
  readonly keyMode: number | null
  /** Host names by which agents come: of the public address, and of TURN. */
  readonly names: readonly string[]
  /** Of the one that the running coordinator shows; null when none does. */
  readonly shown: string | null
  readonly production: boolean
  /** Whether others can connect, and no proxy is in between. */
  readonly exposed: boolean
  readonly nowMs: number
}

const DAY_MS = 86_400_000
/** Certificates are renewed a month before; what is left now says that it was forgotten, days. */
const DAYS_GOOD = 14

export function certificate(ports: CertificatePorts): readonly Finding[] {
  const { cert, key, keyMode, exposed, production } = ports
  const name = 'certificate'
  if (cert === null || key === null)
    return [
      exposed && production
        ? warning(
            name,
            'none: what agents send is in clear on the way',
            'set BOSON_TLS_CERT and BOSON_TLS_KEY, or BOSON_TRUSTED_PROXIES for a proxy that has one',
          )
        : ok(name, exposed ? 'none: plain HTTP' : 'none: plain HTTP, from this machine or through a proxy'),
    ]
  if (cert instanceof Error)
    return [failed(name, `cannot be read (${reasonOf(cert)})`, 'see to BOSON_TLS_CERT')]
  if (key instanceof Error)
    return [failed(name, `its key cannot be read (${reasonOf(key)})`, 'see to BOSON_TLS_KEY')]
  try {
    const leaf = new X509Certificate(cert)
    const found = [
      matches(leaf, key),
      age(leaf, ports.nowMs),
      ...named(leaf, ports.names),
      ...served(leaf, ports.shown),
    ]
    return keyMode !== null && (keyMode & 0o007) !== 0
      ? [
          ...found,
          failed(
            name,
            `its key can be read by everyone (mode ${(keyMode & 0o777).toString(8)})`,
            'chmod 600 the file of BOSON_TLS_KEY',
          ),
        ]
      : found
  } catch (error) {
    return [failed(name, `cannot be used (${reasonOf(error)})`, 'wanted certificate and key as PEM')]
  }
}

function matches(leaf: X509Certificate, key: string): Finding {
  return leaf.checkPrivateKey(createPrivateKey(key))
    ? ok('certificate', `of ${leaf.subject.replaceAll('\n', ', ')}, with its key`)
    : failed(
        'certificate',
        'the key belongs to another certificate',
        'set BOSON_TLS_KEY to the key that it was made with',
      )
}

function age({ validTo, validFrom }: X509Certificate, nowMs: number): Finding {
  const days = Math.floor((Date.parse(validTo) - nowMs) / DAY_MS)
  const until = new Date(validTo).toISOString().slice(0, 10)
  if (days < 0)
    return failed('certificate', `ran out on ${until}`, 'renew it, then send SIGHUP to the coordinator')
  if (Date.parse(validFrom) > nowMs)
    return failed('certificate', 'is not good yet', 'see to this machine’s clock')
  if (days < DAYS_GOOD)
    return warning(
      'certificate',
      `good for ${days} more ${days === 1 ? 'day' : 'days'}, until ${until}`,
      'renew it, then send SIGHUP to the coordinator',
    )
  return ok('certificate', `good until ${until}, ${days} days`)
}

const named = (leaf: X509Certificate, names: readonly string[]): readonly Finding[] =>
  names
    .filter(name => leaf.checkHost(name) === undefined)
    .map(name =>
      failed(
        'certificate',
        `is not for ${name}, by which agents come`,
        `get one that names ${name}: this one is for ${leaf.subjectAltName ?? 'no name'}`,
      ),
    )

const served = ({ fingerprint256 }: X509Certificate, shown: string | null): readonly Finding[] =>
  shown === null || shown === fingerprint256
    ? []
    : [
        warning(
          'certificate',
          'the coordinator shows another one than the file has',
          'send it SIGHUP: it reads the file again',
        ),
      ]
