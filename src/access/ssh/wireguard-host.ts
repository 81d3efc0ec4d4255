/** A host with WireGuard and our scripts: what can be asked of it. */
import { HostError } from './errors.js'
import {
  applyRequest,
  type HostAnswer,
  type HostPeer,
  readAnswer,
  readKeyPair,
  removeRequest,
} from './script-lines.js'
import type { SshHost } from '../../ssh/ssh-host.js'

export interface Scripts {
  readonly apply: string
  readonly remove: string
  /** null: the host makes no keys. */
  readonly makeKey: string | null
}

/** An answer about one peer, or a key, bytes. */
const ANSWER_MAX = 64 * 1024
/** About all peers: some ten thousand of them. */
const LIST_MAX = 1 << 20

/** What the scripts say by their exit code. */
const REFUSED = 65
const NOT_GIVEN = 66

export class WireGuardHost {
  readonly #host: Pick<SshHost, 'run'>
  readonly #iface: string
  readonly #scripts: Scripts

  constructor(host: Pick<SshHost, 'run'>, iface: string, scripts: Scripts) {
    this.#host = host
    this.#iface = iface
    this.#scripts = scripts
  }

  get makesKeys(): boolean {
    return this.#scripts.makeKey !== null
  }

  /** Resolves with all peers of the interface. */
  async list(): Promise<HostAnswer> {
    return readAnswer(await this.#run(this.#scripts.apply, applyRequest(this.#iface, []), LIST_MAX))
  }

  /** Makes a peer so. */
  async apply(peer: HostPeer): Promise<void> {
    const request = applyRequest(this.#iface, [peer])
    const { peers } = readAnswer(await this.#run(this.#scripts.apply, request, ANSWER_MAX))
    if (peers.length !== 1)
      throw new HostError('SSH_ANSWER', 'the host was to make a peer, and does not tell of it')
  }

  /** Takes those away that are ours; resolves with how they were. */
  async remove(publicKeys: readonly Uint8Array[]): Promise<HostAnswer> {
    const request = removeRequest(this.#iface, publicKeys)
    return readAnswer(await this.#run(this.#scripts.remove, request, LIST_MAX))
  }

  /** Makes a key pair there, base64. */
  async makeKey(): Promise<{ readonly privateKey: string; readonly publicKey: string }> {
    const { makeKey } = this.#scripts
    if (makeKey === null)
      throw new HostError('SSH_SETTINGS', 'WG_GEN_SCRIPT: wanted the script that makes keys')
    return readKeyPair(await this.#run(makeKey, '', ANSWER_MAX))
  }

  async #run(path: string, input: string, outputMax: number): Promise<string> {
    const { code, output, complaint } = await this.#host.run({ command: path, input, outputMax })
    if (code === 0) return output
    if (code === REFUSED) throw new HostError('PROVISION_REFUSED', `the host refuses it: ${complaint}`)
    if (code === NOT_GIVEN) throw new HostError('SSH_SETTINGS', `WG_INTERFACE: ${complaint}`)
    throw new HostError('SSH_ANSWER', `${path} ended with ${code ?? 'a signal'}: ${complaint}`)
  }
}
