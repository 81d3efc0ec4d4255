/** How often payments are looked after, and how long is kept what, ms. */
export const TIMING = {
  /** Who pays a moment too late is let: what is pending too long ends within so long. */
  expireEveryMs: 60_000,
  tidyEveryMs: 3_600_000,
  /** What providers told: longer than any of them asks for it back. The payments themselves are kept. */
  eventsKeptMs: 400 * 86_400_000,
} as const
