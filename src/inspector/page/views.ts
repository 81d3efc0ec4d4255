/** The views of the inspector: where each is, how it is called, who sees it. */
import type { ComponentType } from 'preact'
import type { Role } from './live/session.js'
import { isAtLeast } from './live/who.js'
import { OneAccount } from './pages/account.js'
import { Actor } from './pages/actor.js'
import { Actors } from './pages/actors.js'
import { Audit } from './pages/audit.js'
import { Fleet, Monitor, OneServer, SshKeys } from './pages/databases.js'
import { EnrolmentKeys } from './pages/enrolment-keys.js'
import { Jobs } from './pages/jobs.js'
import { Log } from './pages/log.js'
import { Mesh } from './pages/mesh.js'
import { Mine } from './pages/own/mine.js'
import { Paid } from './pages/own/paid.js'
import { Shop } from './pages/own/shop.js'
import { Overview } from './pages/overview.js'
import { OnePath } from './pages/path.js'
import { Paths } from './pages/paths.js'
import { OnePayment } from './pages/payment.js'
import { Payments } from './pages/payments.js'
import { OnePeer } from './pages/peer.js'
import { Peers } from './pages/peers.js'
import { OneRoute } from './pages/route-story.js'
import { Routes } from './pages/routes.js'
import { Subscriptions } from './pages/subscriptions.js'
import { OneTariff } from './pages/tariff.js'
import { Tariffs } from './pages/tariffs.js'
import { Users } from './pages/users.js'
import { Why } from './pages/why.js'

export interface View {
  readonly path: readonly string[]
  readonly title: string
  /** Pressed after `g`. */
  readonly key?: string
  /** The role that it needs; absent: viewer. */
  readonly role?: Role
  /** Under which it stands in the menu; absent: at its head. */
  readonly heading?: string
  readonly page: ComponentType
  /** What is one level below: one actor, one route. `below`: what of it, where it has parts of its own. */
  readonly one?: ComponentType<{ readonly id: string; readonly below: readonly string[] }>
}

const DATABASES = { heading: 'Databases' } as const
const BUSINESS = { role: 'operator', heading: 'Customers' } as const
const ADMINISTRATION = { role: 'admin', heading: 'Administration' } as const

/** What those who look after the mesh see. */
const VIEWS: readonly View[] = [
  { path: [], title: 'Overview', key: 'o', page: Overview },
  { path: ['actors'], title: 'Actors', key: 'a', page: Actors, one: Actor },
  { path: ['mesh'], title: 'Mesh', key: 'm', page: Mesh },
  { path: ['routes'], title: 'Routes', key: 'r', page: Routes, one: OneRoute },
  { path: ['paths'], title: 'Paths', key: 'p', page: Paths, one: OnePath },
  { path: ['why'], title: 'Why', key: 'w', page: Why },
  { path: ['log'], title: 'Log', key: 'l', page: Log },
  { path: ['audit'], title: 'Audit', key: 'u', page: Audit },
  { path: ['jobs'], title: 'Jobs', key: 'j', page: Jobs },
  { path: ['databases'], title: 'Servers', key: 'b', ...DATABASES, page: Fleet, one: OneServer },
  { path: ['ssh-keys'], title: 'SSH keys', key: 'k', role: 'operator', ...DATABASES, page: SshKeys },
  { path: ['monitor'], title: 'Collection', key: 'n', ...DATABASES, page: Monitor },
  { path: ['users'], title: 'Accounts', key: 'c', ...BUSINESS, page: Users, one: OneAccount },
  { path: ['subscriptions'], title: 'Subscriptions', key: 's', ...BUSINESS, page: Subscriptions },
  { path: ['tariffs'], title: 'Tariffs', key: 't', ...BUSINESS, page: Tariffs, one: OneTariff },
  { path: ['peers'], title: 'Devices', key: 'd', ...BUSINESS, page: Peers, one: OnePeer },
  { path: ['payments'], title: 'Payments', key: 'y', ...BUSINESS, page: Payments, one: OnePayment },
  { path: ['enrolment-keys'], title: 'Enrolment keys', key: 'e', ...ADMINISTRATION, page: EnrolmentKeys },
]

/** What those see who only have what is their own. */
const OWN_VIEWS: readonly View[] = [
  { path: [], title: 'Your VPN', key: 'o', role: 'user', page: Mine },
  { path: ['tariffs'], title: 'Tariffs', key: 't', role: 'user', page: Shop },
  { path: ['payments'], title: 'Payments', key: 'y', role: 'user', page: Paid, one: OnePayment },
]

/** Returns the views that somebody with this role is led to. */
export const viewsFor = (role: Role): readonly View[] =>
  role === 'user' ? OWN_VIEWS : VIEWS.filter(view => mayLook(role, view))

/** Returns what is at an address for somebody with this role: also what they may not look at. */
export const viewAt = (role: Role, [place = '']: readonly string[]): View | undefined =>
  [...viewsFor(role), ...VIEWS].find(({ path }) => (path[0] ?? '') === place)

export const mayLook = (role: Role, { role: needed = 'viewer' }: View): boolean => isAtLeast(role, needed)
