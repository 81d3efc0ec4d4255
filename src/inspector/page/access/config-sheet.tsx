/** What a device needs, to be taken away: a configuration and its QR code, or the command of the mesh's agent. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { askByHttp } from '../live/hooks.js'
import { lazy } from '../ui/lazy.js'
import { Fault } from '../ui/parts.js'
import { show } from '../ui/sheet.js'
import { Takeaway } from '../ui/copy.js'
import { completed, fileOf, isComplete } from './config.js'
import type { Peer } from './kinds.js'

interface Config {
  readonly conf: string | null
  readonly agent: { readonly command: string; readonly key_file: string } | null
  readonly wg_private_key: string | null
}

/** Opens it. `privateKey`: where it is only known here; it is gone when the sheet is closed. */
export function showConfig(
  peer: Pick<Peer, 'id' | 'name' | 'identity'>,
  privateKey: string | null = null,
): void {
  show({ title: `What ${peer.name} needs`, body: <ConfigSheet peer={peer} privateKey={privateKey} /> })
}

const Qr = lazy(
  () => import('../ui/qr-code.js').then(({ QrCode }) => QrCode),
  <div class="qr" aria-busy="true" />,
)

/** A peer that was just made is set up in a moment: how often it is asked again, ms, and how many times. */
const AGAIN = { everyMs: 1500, most: 20 }

function ConfigSheet(props: {
  readonly peer: Pick<Peer, 'id' | 'identity'>
  readonly privateKey: string | null
}) {
  const { peer } = props
  const config = useSignal<Config | null>(null)
  const fault = useSignal<string | null>(null)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let isGone = false
    const look = async (left: number) => {
      try {
        const found = await askByHttp<Config>('GET', `/vpn_peers/${peer.id}/config`)
        if (isGone) return
        config.value = found
        fault.value = null
      } catch (error) {
        if (isGone) return
        fault.value = error instanceof Error ? error.message : String(error)
        if (left > 0) timer = setTimeout(() => void look(left - 1), AGAIN.everyMs)
      }
    }
    void look(AGAIN.most)
    return () => {
      isGone = true
      clearTimeout(timer)
    }
  }, [peer.id])
  const privateKey = props.privateKey ?? config.value?.wg_private_key ?? null
  return (
    <>
      {props.privateKey !== null && config.value?.wg_private_key === null && (
        <p class="notice">Its private key is shown here and never again: save it now.</p>
      )}
      {fault.value !== null && <Fault>{fault.value}</Fault>}
      {config.value === null && fault.value === null && <div class="skeleton" />}
      {config.value !== null && (
        <Needs config={config.value} privateKey={privateKey} identity={peer.identity} />
      )}
      {config.value === null && privateKey !== null && (
        <Takeaway text={privateKey} file={`${peer.identity}.key`} />
      )}
    </>
  )
}

function Needs(props: {
  readonly config: Config
  readonly privateKey: string | null
  readonly identity: string
}) {
  const { config, privateKey, identity } = props
  if (config.conf === null)
    return (
      <>
        <p>
          It is connected by the mesh’s agent: WireGuard alone finds no way to the nodes. Run this on the
          device, beside its key.
        </p>
        {config.agent !== null && (
          <>
            {privateKey === null ? (
              <p class="quiet">
                Its private key, which only its owner knows, belongs into <code>{config.agent.key_file}</code>
                .
              </p>
            ) : (
              <>
                <h2>Its private key</h2>
                <Takeaway text={privateKey} file={config.agent.key_file} />
              </>
            )}
            <h2>The command</h2>
            <Takeaway text={config.agent.command} />
          </>
        )}
      </>
    )
  const conf = completed(config.conf, privateKey)
  return (
    <>
      {isComplete(conf) ? (
        <>
          <p>Scan it with the WireGuard app of a phone, or save it and import it on a computer.</p>
          <Qr text={conf} label="The configuration as a QR code" />
        </>
      ) : (
        <p>
          Its private key, which only its owner knows, is missing: put it where <code>PrivateKey</code>{' '}
          stands.
        </p>
      )}
      <Takeaway text={conf} file={fileOf(identity)} />
    </>
  )
}
