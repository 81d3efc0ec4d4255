import type { Profile } from '../../src/actors/ports.js'

/** What an agent says of itself that says nothing. */
export const UNKNOWN_PROFILE: Profile = {
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
