/** What an agent says of itself, as the mesh keeps it. */
import type { Hello, Profile } from '../ports.js'

/** Of an agent that has said nothing yet. */
export const UNSAID: Profile = {
  agent: '',
  country: null,
  region: null,
  latitude: null,
  longitude: null,
  maxSessions: null,
  bandwidthMbps: null,
  exit: false,
  tags: [],
  costWeight: null,
  policy: 'auto',
  can: [],
}

/** Returns what a greeting says; what it leaves out is unknown. */
export function profileOf(hello: Hello): Profile {
  return {
    agent: hello.agent,
    country: hello.country ?? null,
    region: hello.region ?? null,
    latitude: hello.latitude ?? null,
    longitude: hello.longitude ?? null,
    maxSessions: hello.maxSessions ?? null,
    bandwidthMbps: hello.bandwidthMbps ?? null,
    exit: hello.exit ?? false,
    tags: hello.tags ?? [],
    costWeight: hello.costWeight ?? null,
    policy: hello.policy ?? 'auto',
    can: hello.can ?? [],
  }
}
