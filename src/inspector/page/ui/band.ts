/** What a plot of what was before shows. */

export type Values = readonly (number | null)[]

/** Times in s since 1970 UTC; for each of them the mean, the least and the most; null leaves a gap. */
export type Band = readonly [times: readonly number[], mean: Values, min: Values, max: Values]
