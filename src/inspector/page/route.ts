/**
 * Where in the inspector one is: `#/actors/node%2Ffra-1?search=…`. It is in the address, so that every view can be
 * linked to, goes back and forth with the browser, and survives a reload.
 */
import { signal } from '@preact/signals'

export interface Route {
  /** Segments of the path, decoded; the overview has none. */
  readonly path: readonly string[]
  readonly query: Readonly<Record<string, string>>
}

export const route = signal<Route>(read())

globalThis.addEventListener('hashchange', () => {
  route.value = read()
})

/** Returns the address of a view; what is empty is left out of the query. */
export function to(
  path: readonly string[],
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') search.set(name, value)
  const tail = search.size === 0 ? '' : `?${search}`
  return `#/${path.map(encodeURIComponent).join('/')}${tail}`
}

/** Goes to a view. */
export function go(address: string): void {
  location.hash = address.slice(1)
}

/** Changes the query of the view one is in, without a step in the browser's history: filters while they are typed. */
export function narrow(query: Readonly<Record<string, string | undefined>>): void {
  const { path, query: old } = route.value
  history.replaceState(null, '', to(path, { ...old, ...query }))
  route.value = read()
}

/** An address that cannot be decoded is the overview. */
function read(): Route {
  try {
    const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?')
    return {
      path: path === '' ? [] : path.split('/').map(decodeURIComponent),
      query: Object.fromEntries(new URLSearchParams(query)),
    }
  } catch {
    return { path: [], query: {} }
  }
}
