/** A part of the page that is loaded when it is looked at: what few need, or what is large. */
import { signal } from '@preact/signals'
import type { ComponentChildren, ComponentType, JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { Fault } from './parts.js'

type Loaded<P> =
  | { readonly is: 'waiting' }
  | { readonly is: 'there'; readonly part: ComponentType<P> }
  | { readonly is: 'failed' }

/** Returns a component that stands for the one that `load` resolves with; until it is there, `meanwhile` is shown. */
export function lazy<P extends object>(
  load: () => Promise<ComponentType<P>>,
  meanwhile: ComponentChildren,
): (props: P) => JSX.Element {
  const loaded = signal<Loaded<P>>({ is: 'waiting' })
  const begin = () => {
    load().then(
      part => {
        loaded.value = { is: 'there', part }
      },
      () => {
        loaded.value = { is: 'failed' }
      },
    )
  }
  return props => {
    useEffect(() => {
      if (loaded.peek().is !== 'there') begin()
    }, [])
    const now = loaded.value
    if (now.is === 'there') return <now.part {...props} />
    if (now.is === 'failed') return <Fault>This part of the page could not be loaded: reload the page.</Fault>
    return <>{meanwhile}</>
  }
}
