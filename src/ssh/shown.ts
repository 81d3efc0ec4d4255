/** Text of hosts, for people. */

/** Characters of it that are shown. */
const SHOWN_MAX = 256

/** Returns the first line of what a host prints, as logs and tables can have it: nothing in it moves a cursor. */
export const shown = (text: string): string =>
  (text.split('\n', 1)[0] ?? '').replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '·').slice(0, SHOWN_MAX)
