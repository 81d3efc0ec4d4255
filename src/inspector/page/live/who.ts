/** Who is signed in, as the coordinator says: it stands while the socket is away. */
import { effect, signal } from '@preact/signals'
import { line } from './hooks.js'
import type { Who } from './line.js'
import { isSignedIn, type Role } from './session.js'

export const who = signal<Who | null>(null)

effect(() => {
  const state = line.state.value
  if (state.is === 'open') who.value = state.who
  if (!isSignedIn.value) who.value = null
})

const RANK: readonly Role[] = ['user', 'viewer', 'operator', 'admin']

/** Returns whether a role is enough where another is needed. */
export const isAtLeast = (role: Role, needed: Role): boolean => RANK.indexOf(role) >= RANK.indexOf(needed)

/** Returns whether the person who is signed in may do what this role may. */
export const may = (needed: Role): boolean => who.value !== null && isAtLeast(who.value.role, needed)
