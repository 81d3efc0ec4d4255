/** Keys that plug-ins sign with: of the same secret as agents' tokens, and of no use for anything but their purpose. */
import { hkdfSync } from 'node:crypto'
import type { PluginHost } from './plugin.js'

const KEY_BYTES = 32

/** Returns what makes keys, of the newest secret first. */
export const signingKeys =
  (secret: string, oldSecret: string | null): PluginHost['signingKeys'] =>
  purpose =>
    [secret, oldSecret ?? []]
      .flat()
      .map(each => new Uint8Array(hkdfSync('sha256', each, '', `boson ${purpose}`, KEY_BYTES)))
