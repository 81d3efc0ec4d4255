/** A page in a real browser, over the DevTools protocol: what it asks for, what it complains of, how it looks. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import { SHORT_TMP, shortFolder } from './short-folder.js'
import { until } from './until.js'

export interface Page {
  /** URLs that it asked for since it was opened. */
  readonly requests: readonly string[]
  /** Errors and warnings of its console, exceptions that nobody caught, and requests that failed. */
  readonly complaints: readonly string[]
  open(url: string): Promise<void>
  /** Resolves with the value of an expression. */
  evaluate<T>(expression: string): Promise<T>
  /** Resolves with the text of what a selector finds, as soon as it is there. */
  text(selector: string): Promise<string>
  /** Clicks on what a selector finds, as soon as it is there. */
  click(selector: string): Promise<void>
  /** Types into a field, as soon as it is there, so that frameworks notice. */
  type(selector: string, value: string): Promise<void>
  resize(width: number, height: number): Promise<void>
  /** A PNG of what is seen. */
  picture(): Promise<Buffer>
}

/** Returns why there is no browser here; false when there is one. */
export const noChromium = (): string | false =>
  spawnSync('chromium', ['--version']).status !== 0 && 'chromium is not installed'

/** Resolves with an empty page of a browser of its own; both end with the test. */
export async function openPage(t: Test): Promise<Page> {
  const devtools = await startBrowser(t)
  const { targetId } = await devtools.send<{ targetId: string }>('Target.createTarget', {
    url: 'about:blank',
  })
  const { sessionId } = await devtools.send<{ sessionId: string }>('Target.attachToTarget', {
    targetId,
    flatten: true,
  })
  const send = <T>(method: string, params: object = {}) => devtools.send<T>(method, params, sessionId)
  const requests: string[] = []
  const complaints: string[] = []
  devtools.hear((method, params) => {
    const { request, entry, exceptionDetails, errorText, args, type } = params as Heard // as the protocol says
    if (method === 'Network.requestWillBeSent') requests.push(request?.url ?? '')
    if (method === 'Network.loadingFailed') complaints.push(`loading failed: ${errorText ?? ''}`)
    if (method === 'Log.entryAdded') complaints.push(entry?.text ?? '')
    if (method === 'Runtime.exceptionThrown') complaints.push(exceptionDetails?.text ?? '')
    if (method === 'Runtime.consoleAPICalled' && (type === 'error' || type === 'warning'))
      complaints.push(args?.map(({ value, description }) => description ?? String(value)).join(' ') ?? '')
  })
  for (const domain of ['Network', 'Log', 'Runtime', 'Page']) await send(`${domain}.enable`)
  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await send<{
      result: { value: T }
      exceptionDetails?: { text: string; exception?: { description?: string } }
    }>('Runtime.evaluate', { expression, returnByValue: true })
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }
  const found = async (selector: string): Promise<string> => {
    const one = `document.querySelector(${JSON.stringify(selector)})`
    await until(`${selector} is there`, () => evaluate<boolean>(`${one} !== null`))
    return one
  }
  return {
    requests,
    complaints,
    evaluate,
    async open(url) {
      const loaded = devtools.next('Page.loadEventFired')
      await send('Page.navigate', { url })
      await loaded
    },
    text: async selector => evaluate(`${await found(selector)}.textContent`),
    click: async selector => evaluate(`${await found(selector)}.click()`),
    async type(selector, value) {
      const field = await found(selector)
      const set = `Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set`
      await evaluate(`${set}.call(${field}, ${JSON.stringify(value)})`)
      await evaluate(`void ${field}.dispatchEvent(new Event('input', { bubbles: true }))`)
    },
    resize: (width, height) =>
      send('Emulation.setDeviceMetricsOverride', {
        width,
        height,
        deviceScaleFactor: 1,
        mobile: width < 600,
      }),
    async picture() {
      const { data } = await send<{ data: string }>('Page.captureScreenshot', { format: 'png' })
      return Buffer.from(data, 'base64')
    },
  }
}

interface Heard {
  readonly request?: { readonly url: string }
  readonly entry?: { readonly text: string }
  readonly exceptionDetails?: { readonly text: string }
  readonly errorText?: string
  readonly type?: string
  readonly args?: readonly { readonly value?: unknown; readonly description?: string }[]
}

type Hear = (method: string, params: object) => void

interface DevTools {
  send<T>(method: string, params?: object, sessionId?: string): Promise<T>
  hear(hear: Hear): void
  /** Resolves when something of this kind happens next. */
  next(method: string): Promise<void>
}

async function startBrowser(t: Test): Promise<DevTools> {
  const profile = shortFolder()
  const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--lang=en']
  const child = spawn('chromium', [...args, '--remote-debugging-port=0', `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TMPDIR: SHORT_TMP },
    // A group of its own: its helpers end with it.
    detached: true,
  })
  t.teardown(async () => {
    const exited = once(child, 'exit')
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    await exited
    // What they were writing may still come.
    await until('the profile is gone', () => isRemoved(profile))
  })
  const socket = new WebSocket(await addressOf(child))
  t.teardown(() => socket.terminate())
  await once(socket, 'open')
  return over(socket)
}

function isRemoved(folder: string): boolean {
  try {
    rmSync(folder, { recursive: true, force: true })
    return true
  } catch {
    return false
  }
}

/** Resolves with the address that the browser writes when it listens. */
async function addressOf({ stderr }: ChildProcess): Promise<string> {
  let said = ''
  for await (const piece of stderr ?? []) {
    said += String(piece)
    const [, url] = /DevTools listening on (ws:\S+)/.exec(said) ?? []
    if (url !== undefined) return url
  }
  throw new Error(`chromium did not start: ${said}`)
}

function over(socket: WebSocket): DevTools {
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>()
  const hearers = new Set<Hear>()
  let sent = 0
  socket.on('message', (bytes: Buffer) => {
    const message = JSON.parse(bytes.toString()) as {
      id?: number
      result?: never
      error?: { message: string }
      method?: string
      params?: object
    } // as the protocol says
    if (message.id === undefined) {
      for (const hear of hearers) hear(message.method ?? '', message.params ?? {})
      return
    }
    const waits = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.error === undefined) waits?.resolve(message.result as never)
    else waits?.reject(new Error(message.error.message))
  })
  return {
    send(method, params = {}, sessionId) {
      const id = ++sent
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve: resolve as (result: never) => void, reject }) // the caller says what comes
        socket.send(JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) }))
      })
    },
    hear: hear => void hearers.add(hear),
    next: method =>
      new Promise(resolve => {
        const hear: Hear = heard => {
          if (heard !== method) return
          hearers.delete(hear)
          resolve()
        }
        hearers.add(hear)
      }),
  }
}
