/** How long things are good here, ms. */
export const TIMING = {
  /** A token that was stolen from a page's memory is of use for no longer … */
  tokenMs: 15 * 60_000,
  /** … and one of an account that has no part in running the mesh, or of the monitor’s door, for an hour, as the first systems promised: the longest of all. */
  longTokenMs: 60 * 60_000,
  /** Whoever has not come back after a night signs in again … */
  idleMs: 12 * 3_600_000,
  /** … and everyone does once a week. */
  signInMs: 7 * 86_400_000,
  /** Sign-ins are remembered for as long as the audit, far longer than they are good: an address that was once right is no stranger. */
  keptMs: 90 * 86_400_000,
  /** How often is looked for what other coordinators have changed. */
  lookEveryMs: 30_000,
  /** How often mail that waits is looked for, beside at once. */
  mailEveryMs: 10_000,
  /** How often sign-ins that are no longer kept are cleared out. */
  tidyEveryMs: 3_600_000,
} as const
