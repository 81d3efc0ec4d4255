/**
 * Runs in a page: returns a line for each text that has less contrast than is wanted.
 *
 * @param {{ text: number, large: number }} wanted
 * @returns {string[]}
 */
globalThis.illegible = wanted => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  if (canvas === null) throw new Error('there is no canvas')
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = colour
    canvas.fillRect(0, 0, 1, 1)
    const [r = 0, g = 0, b = 0, a = 0] = canvas.getImageData(0, 0, 1, 1).data
    return [r, g, b, a / 255]
  }
  const over = ([r, g, b, a], [r2, g2, b2]) => [
    r * a + r2 * (1 - a),
    g * a + g2 * (1 - a),
    b * a + b2 * (1 - a),
    1,
  ]
  const luminance = ([r, g, b]) => {
    const [x = 0, y = 0, z = 0] = [r, g, b].map(channel => {
      const part = channel / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * x + 0.7152 * y + 0.0722 * z
  }
  const ground = element => {
    if (element === null) return [255, 255, 255, 1]
    const own = rgba(getComputedStyle(element).backgroundColor)
    return own[3] === 1 ? own : over(own, ground(element.parentElement))
  }
  const found = new Set()
  for (const element of document.querySelectorAll('body *')) {
    const hasText = [...element.childNodes].some(
      node => node.nodeType === Node.TEXT_NODE && node.nodeValue?.trim() !== '',
    )
    const style = getComputedStyle(element)
    const box = element.getBoundingClientRect()
    if (!hasText || style.visibility === 'hidden' || box.width <= 1 || box.height <= 1) continue
    const below = ground(element)
    const isSvg = element instanceof SVGElement
    const ink = over(rgba(isSvg ? style.fill : style.color), below)
    const [light = 0, dark = 0] = [luminance(ink), luminance(below)].sort((a, b) => b - a)
    const ratio = (light + 0.05) / (dark + 0.05)
    const size = Number.parseFloat(style.fontSize)
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
    if (ratio < (isLarge ? wanted.large : wanted.text))
      found.add(
        `${element.tagName.toLowerCase()}.${element.getAttribute('class') ?? ''} ${ratio.toFixed(2)}: ${element.textContent.trim().slice(0, 40)}`,
      )
  }
  return [...found]
}
