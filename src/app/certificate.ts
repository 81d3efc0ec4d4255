/** The server's certificate as TURN over TLS takes it: the same files as the WebSocket's, read again with them. */
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContext } from 'node:tls'

export class Certificate {
  readonly #files: { readonly cert: string; readonly key: string }
  #context: SecureContext

  /** Throws when the files cannot be used. */
  constructor(files: { readonly cert: string; readonly key: string }) {
    this.#files = files
    this.#context = read(files)
  }

  get context(): SecureContext {
    return this.#context
  }

  /** Reads the files again; throws, and goes on with the old ones, when they cannot be used. */
  reload(): void {
    this.#context = read(this.#files)
  }
}

const read = ({ cert, key }: { readonly cert: string; readonly key: string }): SecureContext =>
  createSecureContext({ cert: readFileSync(cert), key: readFileSync(key) })
