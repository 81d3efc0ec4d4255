/** What keeps the shell from listening. */

/** The address or the port cannot be had. */
export class ListenFailed extends Error {
  override readonly name = 'ListenFailed'
  readonly code = 'LISTEN_FAILED'

  constructor(host: string, port: number) {
    super(
      `cannot listen on ${host} port ${port}: another process has the port, or the address is not this machine’s`,
    )
  }
}

/** The certificate or its key cannot be used. */
export class BadCertificate extends Error {
  override readonly name = 'BadCertificate'
  readonly code = 'BAD_CERTIFICATE'

  constructor(cert: string, key: string, options?: ErrorOptions) {
    super(`wanted a certificate (${cert}) and its private key (${key}), both PEM and readable`, options)
  }
}
