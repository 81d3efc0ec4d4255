/** Light or dark: as the system says, unless the person has said otherwise on this browser. */
import { effect, signal } from '@preact/signals'

export type Theme = 'light' | 'dark'

const PLACE = 'boson.theme'
const system = matchMedia('(prefers-color-scheme: dark)')
const systemTheme = (): Theme => (system.matches ? 'dark' : 'light')
const chosen = (): Theme | null => {
  const kept = localStorage.getItem(PLACE)
  return kept === 'light' || kept === 'dark' ? kept : null
}

export const theme = signal<Theme>(chosen() ?? systemTheme())

system.addEventListener('change', () => {
  if (chosen() === null) theme.value = systemTheme()
})

effect(() => {
  document.documentElement.dataset['theme'] = theme.value
})

export function toggleTheme(): void {
  theme.value = theme.peek() === 'dark' ? 'light' : 'dark'
  // Back at what the system says, it is followed again.
  if (theme.peek() === systemTheme()) localStorage.removeItem(PLACE)
  else localStorage.setItem(PLACE, theme.peek())
}

/** Returns a colour of the style sheet, for what is painted by hand. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
