/** Looks at a page as it is drawn: text that has too little contrast, and content that is wider than the window. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Page } from 'playwright-core'

/** WCAG 2.2 §1.4.3: of text, and of large text (24 px, or 18.66 px in bold). */
const CONTRAST = { text: 4.5, large: 3 }

const FIND = readFileSync(resolve(import.meta.dirname, '../../../test/inspector/legible-in-page.js'), 'utf8')

/** Resolves with what a person could not read: one line for each kind of text. */
export const illegible = (page: Page): Promise<string[]> =>
  page.evaluate(`${FIND}; illegible(${JSON.stringify(CONTRAST)})`)

/** Resolves with how much wider the page is than its window, CSS px. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
