/** Makes docs/metrics.md from what a coordinator tells on its metrics page. A test holds that it is current. */

export interface FigureDoc {
  readonly name: string
  readonly type: string
  readonly help: string
}

/** Node's own figures are explained elsewhere. */
const FOREIGN = /^(?:process|nodejs)_/

/** Returns what a metrics page says of its figures, ours alone. */
export function figuresOf(page: string): readonly FigureDoc[] {
  const types = new Map(
    [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  )
  return [...page.matchAll(/^# HELP (\S+) (.*)$/gm)]
    .map(([, name = '', help = '']) => ({ name, help, type: types.get(name) ?? 'untyped' }))
    .filter(({ name }) => !FOREIGN.test(name))
}

/** Returns the page. */
export function metricsDoc(page: string): string {
  const rows = figuresOf(page).map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`)
  return `<!-- Made by \`npm run docs\` from what a coordinator tells; do not edit. -->

# Metrics

What \`GET /metrics\` tells. \`bosonserver_…\` are names that dashboards of the first BosonServer know; \`boson_…\` are in
base units. Beside them are Node's own figures, \`process_…\` and \`nodejs_…\`. Every line bears \`app="bosonserver"\`.
[monitoring/](monitoring/) has alert rules and a dashboard.

| name | type | meaning |
| --- | --- | --- |
${rows.join('\n')}
`
}
