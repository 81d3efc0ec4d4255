/** `/api/v1/metrics`: nodes tell their figures, and whoever may sees what they were. */
import type { Endpoint } from '../../http/endpoint.js'
import { aggregated } from './aggregated.js'
import { historyPage } from './history-page.js'
import { latest } from './latest.js'
import type { HistoryPages } from './pages.js'
import { postMetrics } from './post-metrics.js'

export const historyEndpoints = (pages: HistoryPages): readonly Endpoint[] => [
  postMetrics(pages),
  latest(pages),
  historyPage(pages),
  aggregated(pages),
]
