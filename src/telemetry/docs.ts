/** Makes docs/metrics.md: every figure of the mesh on the metrics page. A test holds that it is current. */
import { MESH_FIGURES } from './mesh-figures.js'
import { NODE_LATENCY } from './node-latency.js'
import { TURN_FIGURES } from './turn-figures.js'

/** Returns the page. */
export function metricsDoc(): string {
  const rows = [...MESH_FIGURES, NODE_LATENCY, ...TURN_FIGURES].map(
    ({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`,
  )
  return `<!-- Made by \`npm run docs\` from src/telemetry; do not edit. -->

# Metrics

What \`GET /metrics\` tells of the mesh. \`bosonserver_…\` are names that dashboards of the first BosonServer know;
\`boson_…\` are in base units. Beside them are \`bosonserver_api_requests_total\`, \`bosonserver_api_errors_total\` and
\`boson_http_request_seconds\` for HTTP, and Node's own figures.

| name | type | meaning |
| --- | --- | --- |
${rows.join('\n')}
`
}
