/**
 * Who looks after whom. A branch is asked for when it is opened, and only what is open is kept fresh; where there are more
 * than a page of them, kinds that have many stand as one line, with how many there are.
 */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import type { ActorKind, ActorRow, ActorsPage } from '../../../../actors/ports.js'
import { useView } from '../../live/hooks.js'
import { narrow, route, to } from '../../route.js'
import { count, plural } from '../../ui/format.js'
import { ActorLink, Fault } from '../../ui/parts.js'
import { openRow, useRows } from '../../ui/rows.js'
import { State } from '../../ui/state.js'

/** Rows of a page of a branch. */
const ROWS = 50
/** As many of a kind stand by themselves, beside kinds of which there are many. */
const FEW = 3
/** How often an open branch is looked at, ms. */
const EVERY_MS = 2000
/** Branches that are open at once: each is watched, and a socket has 64 watches. The one opened first is closed. */
const OPEN = 40

/** Those that may look after others. */
const PARENTS: ReadonlySet<ActorKind> = new Set(['server', 'coordinator', 'node', 'client'])

export function Tree() {
  const place = useRef<HTMLDivElement>(null)
  useRows(place)
  return (
    <div ref={place} class="tree panel">
      <Level query="kinds=server" />
    </div>
  )
}

/** What is open is in the address; the root is open unless it was closed. */
const openOnes = (): readonly string[] => (route.value.query['open'] ?? 'server').split(' ')

function toggle(branch: string): void {
  const open = openOnes()
  const next = open.includes(branch) ? open.filter(each => each !== branch) : [...open, branch].slice(-OPEN)
  narrow({ open: next.length === 0 ? '-' : next.join(' ') })
}

/** One level below an actor, or one kind of it. */
function Level({ query, parent }: { query: string; parent?: string }) {
  const after = useSignal<readonly string[]>([])
  const from = after.value.at(-1)
  const cursor = from === undefined ? '' : `&after=${encodeURIComponent(from)}`
  const { value: page, fault } = useView<ActorsPage>(
    `/api/v1/actors?${query}&limit=${ROWS}${cursor}`,
    EVERY_MS,
  )
  if (page === null) return fault === null ? <p class="tree-note quiet">…</p> : <Fault>{fault}</Fault>
  const kinds = Object.entries(page.kinds) as [ActorKind, number][] // its keys are kinds
  if (parent !== undefined && page.total > ROWS && kinds.length > 1) {
    const few = kinds.filter(([, number]) => number <= FEW).map(([kind]) => kind)
    return (
      <>
        {few.length > 0 && <Level query={`${query}&kinds=${few.join(',')}`} />}
        <ul>
          {kinds
            .filter(([kind]) => !few.includes(kind))
            .map(([kind, number]) => (
              <Group key={kind} parent={parent} kind={kind} number={number} />
            ))}
        </ul>
      </>
    )
  }
  return (
    <>
      <ul>
        {page.actors.map(row => (
          <Branch key={row.id} row={row} />
        ))}
      </ul>
      {page.total === 0 && <p class="tree-note quiet">Nothing below it now</p>}
      {page.total > ROWS && (
        <p class="tree-note">
          <span class="quiet">
            {count(page.actors.length)} of {plural(page.total, 'actor')}
          </span>
          <button
            type="button"
            class="button"
            data-size="small"
            disabled={after.value.length === 0}
            onClick={() => {
              after.value = after.value.slice(0, -1)
            }}
          >
            Previous
          </button>
          <button
            type="button"
            class="button"
            data-size="small"
            disabled={page.next === null}
            onClick={() => {
              if (page.next !== null) after.value = [...after.value, page.next]
            }}
          >
            Next
          </button>
        </p>
      )}
    </>
  )
}

/** All of one kind below an actor. */
function Group({ parent, kind, number }: { parent: string; kind: ActorKind; number: number }) {
  const branch = `${parent}:${kind}`
  const isOpen = openOnes().includes(branch)
  return (
    <li>
      <Row branch={branch} isOpen={isOpen}>
        <span>{plural(number, kind)}</span>
      </Row>
      {isOpen && <Level query={`parent=${encodeURIComponent(parent)}&kinds=${kind}`} />}
    </li>
  )
}

function Branch({ row: { id, kind, state, about } }: { row: ActorRow }) {
  const isOpen = openOnes().includes(id)
  return (
    <li>
      <Row branch={PARENTS.has(kind) ? id : null} isOpen={isOpen} address={to(['actors', id])}>
        <ActorLink id={id} />
        <State of={state} />
        {about !== null && <span class="quiet">{about}</span>}
      </Row>
      {isOpen && <Level query={`parent=${encodeURIComponent(id)}`} parent={id} />}
    </li>
  )
}

/** A line of the tree: right opens it, left closes it. */
function Row(props: {
  branch: string | null
  isOpen: boolean
  address?: string
  children: ComponentChildren
}) {
  const { branch, isOpen, address = '', children } = props
  return (
    <div
      class="tree-row"
      tabIndex={-1}
      data-row={address}
      onClick={openRow}
      onKeyDown={({ key, target, currentTarget }) => {
        const isOther = target !== currentTarget
        if (branch === null || isOther) return
        if (key === (isOpen ? 'ArrowLeft' : 'ArrowRight') || (key === 'Enter' && address === ''))
          toggle(branch)
      }}
    >
      {branch === null ? (
        <span class="tree-twist" />
      ) : (
        <button
          type="button"
          class="tree-twist"
          aria-expanded={isOpen}
          aria-label={isOpen ? 'Close' : 'Open'}
          onClick={() => toggle(branch)}
        >
          {isOpen ? '▾' : '▸'}
        </button>
      )}
      <div class="tree-about">{children}</div>
    </div>
  )
}
