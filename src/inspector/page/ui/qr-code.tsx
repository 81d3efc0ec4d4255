/** A QR code as a drawing: dark on light in both themes, because cameras expect that. */
import { encode } from 'uqr'

/** A blank margin that scanners need (ISO/IEC 18004), modules. */
const BORDER = 4

export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const { data, size } = encode(text, { border: BORDER })
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      shape-rendering="crispEdges"
    >
      <path class="qr-ground" d={`M0 0h${size}v${size}H0z`} />
      <path class="qr-marks" d={data.map(lineOf).join('')} />
    </svg>
  )
}

/** Returns the dark modules of a line, those beside each other as one. */
function lineOf(modules: readonly boolean[], y: number): string {
  let path = ''
  for (let x = 0; x < modules.length; x++) {
    if (modules[x] !== true) continue
    let width = 1
    while (modules[x + width] === true) width++
    path += `M${x} ${y}h${width}v1h-${width}z`
    x += width
  }
  return path
}
