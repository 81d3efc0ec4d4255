/** What the mesh's own agent needs to connect a peer: which program to run, with which key. */
import type { Config } from '../../app/config.js'
import type { Peer } from './book.js'

export interface AgentKit {
  readonly server: string
  readonly id: string
  readonly role: 'client'
  /** File of the private key, as `wg genkey` prints it. */
  readonly key_file: string
  readonly command: string
}

/** A host and a port, and nothing that a shell would take for more. */
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:]{2,45}\])(?::\d{1,5})?$/

/** Returns what the agent of a peer needs. `called`: how whoever asks called this coordinator. */
export function agentKit(
  { identity_id }: Pick<Peer, 'identity_id'>,
  config: Pick<Config, 'publicUrl' | 'tlsCert' | 'host' | 'port'>,
  called: string | undefined,
): AgentKit {
  const server = serverUrl(config, called)
  const keyFile = `${identity_id}.key`
  return {
    server,
    id: identity_id,
    role: 'client',
    key_file: keyFile,
    command: `boson client --server ${server} --id ${identity_id} --key-file ${keyFile}`,
  }
}

/** Returns lines for a shell, which write the key where we know it and start the agent. */
export function agentScript({ key_file, command }: AgentKit, privateKey: string | null): string {
  return [
    '# The agent of the mesh connects this peer: WireGuard alone finds no way to the nodes.',
    ...(privateKey === null
      ? [`# Put the private key, as \`wg genkey\` printed it, into ${key_file}, mode 0600.`]
      : [`(umask 077; printf '%s\\n' '${privateKey}' > ${key_file})`]),
    `sudo ${command}`,
    '',
  ].join('\n')
}

function serverUrl(
  { publicUrl, tlsCert, host, port }: Pick<Config, 'publicUrl' | 'tlsCert' | 'host' | 'port'>,
  called: string | undefined,
): string {
  if (publicUrl !== null) return new URL(publicUrl).href.replace(/\/$/, '')
  const scheme = tlsCert === null ? 'http' : 'https'
  const own = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return `${scheme}://${called !== undefined && HOST.test(called) ? called : own}`
}
