/** The page: the door, and behind it the frame around the view that the address names. */
import { effect, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Door } from './door.js'
import { line } from './live/hooks.js'
import type { LineState } from './live/line.js'
import { isSignedIn, signOut } from './live/session.js'
import { may, who } from './live/who.js'
import { go, route, to } from './route.js'
import { nowMs } from './ui/clock.js'
import { Dialogs } from './ui/dialog.js'
import { duration } from './ui/format.js'
import { fieldsOf } from './ui/form.js'
import { Help, showHelp, useKeys } from './ui/keys.js'
import { Dot, Empty } from './ui/parts.js'
import { Sheet } from './ui/sheet.js'
import { theme, toggleTheme } from './ui/theme.js'
import { mayLook, type View, viewAt, viewsFor } from './views.js'
import icon from './icon.svg'

effect(() => {
  if (isSignedIn.value) line.open()
  else line.close()
})

export function App() {
  useKeys()
  if (!isSignedIn.value) return <Door />
  return (
    <>
      <Frame />
      <Help />
      <Sheet />
      <Dialogs />
    </>
  )
}

const isMenuOpen = signal(false)

function Frame() {
  const { path } = route.value
  const view = who.value === null ? undefined : viewAt(who.value.role, path)
  useEffect(() => {
    document.title = `${path[1] ?? view?.title ?? 'Nowhere'} · Boson`
    isMenuOpen.value = false
    scrollTo(0, 0)
  }, [path.join('/')])
  return (
    <div class="frame" data-menu={isMenuOpen.value ? 'open' : 'closed'}>
      <Nav now={view} />
      <div>
        <Bar />
        <Banner state={line.state.value} />
        <main class="view">
          <Shown view={view} path={path} />
        </main>
      </div>
    </div>
  )
}

function Shown({ view, path: [, id, ...below] }: { view: View | undefined; path: readonly string[] }) {
  if (who.value === null) return null
  if (view === undefined)
    return (
      <Empty title="There is no such view">
        Go to the <a href={to([])}>overview</a>.
      </Empty>
    )
  if (!mayLook(who.value.role, view))
    return (
      <Empty title="Not for you">
        This view needs the role {view.role ?? 'viewer'}; yours is {who.value.role}. Go to{' '}
        <a href={to([])}>{viewAt(who.value.role, [])?.title ?? 'the start'}</a>.
      </Empty>
    )
  if (id === undefined) return <view.page key={view.title} />
  return view.one === undefined ? (
    <Empty title="There is no such view" />
  ) : (
    <view.one key={id} id={id} below={below} />
  )
}

function Nav({ now }: { now: View | undefined }) {
  const me = who.value
  const seen = me === null ? [] : viewsFor(me.role)
  const headings = [...new Set(seen.map(({ heading }) => heading))]
  const links = (views: readonly View[]) =>
    views.map(view => (
      <a
        key={view.title}
        class="nav-link"
        href={to(view.path)}
        {...(view === now && { 'aria-current': 'page' as const })}
      >
        {view.title}
        {view.key !== undefined && <kbd aria-hidden="true">g {view.key}</kbd>}
      </a>
    ))
  return (
    <nav class="nav" aria-label="Views">
      <div class="nav-brand">
        <img src={icon} alt="" />
        Boson
      </div>
      {headings.map(heading => [
        heading !== undefined && (
          <p key={heading} class="nav-heading">
            {heading}
          </p>
        ),
        links(seen.filter(view => view.heading === heading)),
      ])}
      {me !== null && (
        <div class="nav-foot">
          <span>
            {me.name}, {me.role}
          </span>
          {me.serverId !== null && (
            <span>
              {me.serverId} · {me.version}
            </span>
          )}
          <button type="button" class="button" onClick={() => signOut()}>
            Sign out
          </button>
        </div>
      )}
    </nav>
  )
}

function Bar() {
  const state = line.state.value
  return (
    <div class="bar">
      <button
        type="button"
        class="button menu-button"
        aria-expanded={isMenuOpen.value}
        onClick={() => {
          isMenuOpen.value = !isMenuOpen.peek()
        }}
      >
        Menu
      </button>
      {may('viewer') && <Search />}
      <div class="bar-end">
        <span class="wide-only quiet">{LINE_WORDS[state.is]}</span>
        <Dot tone={state.is === 'open' ? 'good' : 'warn'} label={LINE_WORDS[state.is]} />
        <button type="button" class="button" data-kind="plain" onClick={toggleTheme}>
          {theme.value === 'dark' ? 'Light' : 'Dark'}
        </button>
        <button type="button" class="button wide-only" data-kind="plain" aria-label="Help" onClick={showHelp}>
          ?
        </button>
      </div>
    </div>
  )
}

const Search = () => (
  <form
    class="search"
    role="search"
    onSubmit={event => {
      event.preventDefault()
      go(to(['actors'], { search: fieldsOf(event.currentTarget)['search'] }))
    }}
  >
    <input
      id="search"
      class="input"
      type="search"
      name="search"
      aria-label="Search actors"
      placeholder="Search actors"
      autocomplete="off"
      spellcheck={false}
    />
    <kbd class="wide-only" aria-hidden="true">
      /
    </kbd>
  </form>
)

const LINE_WORDS: Readonly<Record<LineState['is'], string>> = {
  open: 'Live',
  connecting: 'Connecting',
  away: 'Connection lost',
  closed: 'Not connected',
}

function Banner({ state }: { state: LineState }) {
  if (state.is !== 'away') return null
  const inMs = Math.max(0, state.retryAtMs - nowMs.value + line.skewMs)
  return (
    <p class="banner" role="status">
      The connection is lost: {state.why}. What you see may be old. Trying again
      {inMs > 0 ? ` in ${duration(Math.ceil(inMs / 1000) * 1000)}` : ''} …
    </p>
  )
}
