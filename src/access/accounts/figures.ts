/** What this room tells on the metrics page. */
import type { Figure } from '../../telemetry/figure.js'

/** Counts since the start. */
export class SignInCounts {
  good = 0
  bad = 0
  /** Refused without looking at the password, because there were too many before. */
  held = 0
  renewed = 0
  refusedRenewals = 0
}

export const accessFigures = (counts: SignInCounts): readonly Figure<void>[] => [
  {
    name: 'boson_sign_ins_total',
    help: 'Attempts to sign in, by what came of them: good, a wrong name or password, held off after too many.',
    type: 'counter',
    read: () => [
      { labels: { outcome: 'good' }, value: counts.good },
      { labels: { outcome: 'wrong' }, value: counts.bad },
      { labels: { outcome: 'held_off' }, value: counts.held },
    ],
  },
  {
    name: 'boson_sign_in_renewals_total',
    help: 'Refresh tokens that were traded for the next one, and those that were refused.',
    type: 'counter',
    read: () => [
      { labels: { outcome: 'good' }, value: counts.renewed },
      { labels: { outcome: 'refused' }, value: counts.refusedRenewals },
    ],
  },
]
