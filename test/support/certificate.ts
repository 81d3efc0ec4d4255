/** Certificates that nobody trusts, for servers that tests start. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { connect as tlsConnect } from 'node:tls'

/** Makes `<name>.crt` and `<name>.key` in a directory; the subject is the name. */
export function makeCertificate(dir: string, name: string): void {
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'].concat([
      '-subj',
      `/CN=${name}`,
      '-keyout',
      join(dir, `${name}.key`),
      '-out',
      join(dir, `${name}.crt`),
    ]),
    { stdio: 'ignore' },
  )
}

/** Returns whose certificate a port on this machine shows. */
export function subject(port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      const { CN } = socket.getPeerCertificate().subject
      resolve(Array.isArray(CN) ? CN[0] : CN)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}
