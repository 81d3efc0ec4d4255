/** What components ask of the coordinator: a view that stays fresh, a stream of what happens, an action. */
import { computed, useSignal, type Signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Asking } from './asking.js'
import { type Answer, type Body, type Follow, Line, type Method, type Way } from './line.js'
import { expire, freshToken, isUser, renewInMs, signOut } from './session.js'

const token = { token: freshToken, expired: expire, refused: (reason: string) => signOut(reason) }
const socket = new Line({ ...token, renewInMs })
const asking = new Asking(token)

/** The way of whoever is signed in. */
const way = computed<Way>(() => (isUser.value ? asking : socket))
const state = computed(() => way.value.state.value)

export const line: Way = {
  state,
  get skewMs() {
    return way.peek().skewMs
  },
  open() {
    for (const other of [socket, asking]) if (other !== way.peek()) other.close()
    way.peek().open()
  },
  close() {
    socket.close()
    asking.close()
  },
  call: (...call) => way.peek().call(...call),
  watch: (...watch) => way.peek().watch(...watch),
  follow: (...follow) => way.peek().follow(...follow),
}

/** What is known of a view. While it is asked for anew the last one stands. */
export interface View<T> {
  /** null until the first answer. */
  readonly value: T | null
  /** What the coordinator said when it could not answer; null when it did. */
  readonly fault: string | null
  readonly status: number
}

const NOTHING: View<never> = { value: null, fault: null, status: 0 }

/** How often a view is looked at again when nobody says, ms. */
const EVERY_MS = 1000

/** Returns what a GET answers, kept fresh while the component is there. A null path asks for nothing. */
export function useView<T>(path: string | null, everyMs: number = EVERY_MS): View<T> {
  const view = useSignal<View<T>>(NOTHING)
  useEffect(() => {
    if (path === null) return
    return line.watch(path, everyMs, answer => {
      // A fault does not take away what was shown, but another address shows nothing of the one before.
      view.value = viewOf(answer, view.peek().value)
    })
  }, [path, everyMs])
  useEffect(() => () => void (view.value = NOTHING), [path?.split('?')[0]])
  return view.value
}

/** What was heard, newest last, and how many more there were than came through. */
export interface Heard<T> {
  readonly events: readonly T[]
  readonly dropped: number
  readonly ended: string | null
}

/** Returns the last `most` of what happens, while the component is there. */
export function useFollow<T>(follow: Follow | null, most: number): Heard<T> {
  const heard: Signal<Heard<T>> = useSignal<Heard<T>>({ events: [], dropped: 0, ended: null })
  const key = JSON.stringify(follow)
  useEffect(() => {
    heard.value = { events: [], dropped: 0, ended: null }
    if (follow === null) return
    return line.follow(follow, {
      events(events, dropped) {
        const { events: old, ...rest } = heard.peek()
        heard.value = {
          ...rest,
          events: [...old, ...(events as readonly T[])].slice(-most), // as the topic's events are defined
          dropped: rest.dropped + dropped,
        }
      },
      ended(reason) {
        heard.value = { ...heard.peek(), ended: reason }
      },
    })
  }, [key, most])
  return heard.value
}

/** Resolves with what an endpoint answers; rejects with an Error that says why it did not. */
export const ask = <T>(method: Method, path: string, body?: Body): Promise<T> =>
  valueOf(line.call(method, path, body))

/** The same by HTTP, whoever asks: the coordinator hears by which name it is called then. */
export const askByHttp = <T>(method: Method, path: string): Promise<T> => valueOf(asking.call(method, path))

async function valueOf<T>(asked: Promise<Answer>): Promise<T> {
  const answer = await asked
  const { value, fault } = viewOf<T>(answer, null)
  if (fault !== null) throw new Error(fault)
  return value as T // by the endpoint's description
}

/** The coordinator's clock, ms since 1970 UTC: ages are counted by it. */
export const serverNowMs = (): number => Date.now() + line.skewMs

function viewOf<T>({ status, body }: Answer, old: T | null): View<T> {
  if (status < 400) return { value: body as T, fault: null, status } // by the endpoint's description
  const said = (body as { error?: { message?: string } } | null | undefined)?.error?.message
  return { value: status === 404 ? null : old, fault: said ?? `status ${status}`, status }
}
