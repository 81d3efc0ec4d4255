/** Plain data as a tree that opens: fields with their units, and what is masked shown as that. */
import type { Plain } from '../../../actors/ports.js'
import { nowMs } from './clock.js'
import { bytes, moment, ms, UNKNOWN } from './format.js'
import { ActorLink } from './parts.js'

/** What stands where a secret was. */
const MASK = '•••'

/** Fields of an object, each on a line of its own; objects within it open. `open`: how many levels are open at first. */
export function Data({ of, open = 1 }: { of: Plain; open?: number }) {
  if (of === null || typeof of !== 'object') return <Value name="" of={of} />
  const fields = Array.isArray(of)
    ? of.map((item, i) => [String(i), item as Plain] as const) // of plain data
    : Object.entries(of)
  if (fields.length === 0) return <span class="quiet">empty</span>
  return (
    <ul class="data">
      {fields.map(([name, value]) => (
        <li key={name}>
          {isBranch(value) ? (
            <details open={open > 0}>
              <summary>
                <span class="data-name">{name}</span> <span class="quiet">{sizeOf(value)}</span>
              </summary>
              <Data of={value} open={open - 1} />
            </details>
          ) : (
            <>
              <span class="data-name">{name}</span> <Value name={name} of={value} />
            </>
          )}
        </li>
      ))}
    </ul>
  )
}

const isBranch = (value: Plain): value is Exclude<Plain, null | boolean | number | string> =>
  value !== null && typeof value === 'object' && Object.keys(value).length > 0

function sizeOf(value: Plain): string {
  if (Array.isArray(value)) return `${value.length} items`
  const names = Object.keys(value as object) // only branches are measured
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')}, … (${names.length})`
}

function Value({ name, of }: { name: string; of: Plain }) {
  if (of === null) return <span class="quiet">{UNKNOWN}</span>
  if (of === MASK)
    return (
      <span class="tag" title="A secret: it is there, and is shown to nobody">
        {MASK} masked
      </span>
    )
  if (typeof of === 'number') return <span class="mono">{figure(name, of)}</span>
  if (typeof of === 'boolean') return <span class="mono">{of ? 'yes' : 'no'}</span>
  if (typeof of !== 'string') return <span class="quiet">{Array.isArray(of) ? 'none' : 'empty'}</span>
  if (/^(?:node|client|path|nat-probe|drain)\/[\w.-]+$/.test(of)) return <ActorLink id={of} />
  return <span class="mono">{of === '' ? '""' : of}</span>
}

/** Names of times and sizes end in their unit. */
function figure(name: string, value: number): string {
  if (name.endsWith('AtMs')) return moment(value, nowMs.value)
  if (name.endsWith('Ms')) return ms(value)
  if (/bytes$/i.test(name)) return bytes(value)
  return String(value)
}
