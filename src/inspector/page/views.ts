/** The views of the inspector: where each is, how it is called, who sees it. */
import type { ComponentType } from 'preact'
import type { Role } from './live/session.js'
import { Actor } from './pages/actor.js'
import { Actors } from './pages/actors.js'
import { Audit } from './pages/audit.js'
import { EnrolmentKeys } from './pages/enrolment-keys.js'
import { Jobs } from './pages/jobs.js'
import { Log } from './pages/log.js'
import { Mesh } from './pages/mesh.js'
import { Overview } from './pages/overview.js'
import { OnePath } from './pages/path.js'
import { Paths } from './pages/paths.js'
import { OneRoute } from './pages/route-story.js'
import { Routes } from './pages/routes.js'
import { Users } from './pages/users.js'
import { Why } from './pages/why.js'

export interface View {
  readonly path: readonly string[]
  readonly title: string
  /** Pressed after `g`. */
  readonly key?: string
  /** The role that it needs; absent: any. */
  readonly role?: Role
  readonly page: ComponentType
  /** What is one level below: one actor, one route. */
  readonly one?: ComponentType<{ readonly id: string }>
}

export const VIEWS: readonly View[] = [
  { path: [], title: 'Overview', key: 'o', page: Overview },
  { path: ['actors'], title: 'Actors', key: 'a', page: Actors, one: Actor },
  { path: ['mesh'], title: 'Mesh', key: 'm', page: Mesh },
  { path: ['routes'], title: 'Routes', key: 'r', page: Routes, one: OneRoute },
  { path: ['paths'], title: 'Paths', key: 'p', page: Paths, one: OnePath },
  { path: ['why'], title: 'Why', key: 'w', page: Why },
  { path: ['log'], title: 'Log', key: 'l', page: Log },
  { path: ['audit'], title: 'Audit', key: 'u', page: Audit },
  { path: ['jobs'], title: 'Jobs', key: 'j', page: Jobs },
  { path: ['users'], title: 'Accounts', key: 'c', role: 'admin', page: Users },
  { path: ['enrolment-keys'], title: 'Enrolment keys', key: 'e', role: 'admin', page: EnrolmentKeys },
]
