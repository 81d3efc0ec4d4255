/** Debian's Chromium, driven by playwright-core: what a page asks for and complains of is kept. */
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'

export const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

export interface Watched {
  readonly page: Page
  readonly context: BrowserContext
  /** Addresses it asked for, those of sockets too. */
  readonly requests: readonly string[]
  /** Errors and warnings of its console, exceptions that nobody caught, dialogs that a script opened. */
  readonly complaints: readonly string[]
}

/** Resolves with an empty page of a browser of its own, which ends with the test. */
export async function browse(t: Test): Promise<Watched> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  const page = await context.newPage()
  const requests: string[] = []
  const complaints: string[] = []
  page.on('request', request => requests.push(request.url()))
  page.on('websocket', socket => requests.push(socket.url()))
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', error => complaints.push(String(error)))
  page.on('dialog', dialog => {
    complaints.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  return { page, context, requests, complaints }
}
