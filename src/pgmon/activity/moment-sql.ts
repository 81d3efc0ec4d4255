/** Spells moments in SQL as they are answered: text, since a JavaScript date has no microseconds. */
export const momentSql = (moment: string, digits: 'MS' | 'US' = 'MS'): string =>
  `to_char(${moment} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.${digits}"Z"')`
