/**
 * Every change of this room's tables, in order. A migration that was released is never edited: the next one is added
 * below it.
 */
import type { Migration } from 'kysely/migration'
import { history } from './0001_history.js'
import { agents } from './0002_agents.js'
import { heartbeats } from './0003_heartbeats.js'
import { jobs } from './0004_jobs.js'
import { toldJobs } from './0005_told_jobs.js'

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_history': history,
  '0002_agents': agents,
  '0003_heartbeats': heartbeats,
  '0004_jobs': jobs,
  '0005_told_jobs': toldJobs,
}
