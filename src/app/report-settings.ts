/** How an agent reports: one setting, whose value in a configuration file has the names that such agents have had. */
import { z } from 'zod'
import { REPORT_DEFAULTS, type ReportOptions } from '../agent/index.js'
import { type Accepts, optional, secret } from './setting.js'

const ms = z.int().min(1_000).max(86_400_000)

const Options = z.strictObject({
  /** Reports go there over HTTP, with BOSON_REPORTS_TOKEN, instead of over the session. */
  apiEndpoint: z.url({ protocol: /^https?$/ }).optional(),
  reportingIntervals: z.strictObject({ statistics: ms.optional(), logs: ms.optional() }).optional(),
  batching: z
    .strictObject({
      maxLogsPerBatch: z.int().min(1).max(100).optional(),
      maxRetries: z.int().min(0).max(10).optional(),
    })
    .optional(),
  localCache: z
    .strictObject({ enabled: z.boolean().optional(), maxEntries: z.int().min(1).max(10_000).optional() })
    .optional(),
})

export type ReportSetting = ReportOptions & { readonly apiEndpoint?: string | undefined }

const fromJson = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    context.addIssue({ code: 'custom', message: 'not JSON' })
    return z.NEVER
  }
})

const reporting: Accepts<ReportSetting | 'off'> = {
  schema: z.union([z.literal('off'), Options, fromJson.pipe(Options)]),
  wanted:
    'off, or JSON such as {"reportingIntervals":{"statistics":300000,"logs":30000},"batching":{"maxLogsPerBatch":100,"maxRetries":3},"localCache":{"enabled":true,"maxEntries":10000}}',
}

export const REPORT_SETTINGS = {
  reports: optional('BOSON_REPORTS', reporting, {
    doc: `What the node saw of its clients is reported to the coordinator: off, or JSON with the keys reportingIntervals, batching, localCache and apiEndpoint. When not set: traffic every ${REPORT_DEFAULTS.reportingIntervals.statistics / 60_000} minutes, lines every ${REPORT_DEFAULTS.reportingIntervals.logs / 1_000} s.`,
  }),
  reportsToken: secret('BOSON_REPORTS_TOKEN', {
    doc: 'Bearer token for reports that go to an apiEndpoint.',
  }),
}
