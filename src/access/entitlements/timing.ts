/** How often is looked at what, ms. */
export const TIMING = {
  /** What ends, ends within this. */
  tickMs: 250,
  /** How often is looked at what the relay has carried for those whose traffic is limited. */
  measureMs: 1_000,
  /** What the database has to be asked for before it can be charged, or could not be read, waits no longer than this … */
  urgentMs: 1_000,
  /** … and what is known to be new and acts already, than this: a path tells more than once meanwhile. */
  chargeMs: 15_000,
  /** How often is looked for what other coordinators have changed. */
  lookMs: 30_000,
  /** How often sources that have ended are cleared out, and how long they are kept: nobody tells of them so late. */
  tidyMs: 3_600_000,
  keptMs: 7 * 86_400_000,
} as const
