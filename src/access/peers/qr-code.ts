/** QR codes, for phones that read a configuration off a screen. */
import { renderSVG, renderUnicodeCompact } from 'uqr'

/** A blank margin that scanners need, modules (ISO/IEC 18004 §5.3.8). */
const LOOKS = { border: 4 }

/** Returns the code for a terminal with light letters on a dark ground. */
export const qrText = (text: string): string => renderUnicodeCompact(text, LOOKS)

/** Returns the code as an SVG image. */
export const qrSvg = (text: string): string => renderSVG(text, LOOKS)
