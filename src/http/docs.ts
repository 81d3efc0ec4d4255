/** Makes docs/API.md from the OpenAPI document of a running coordinator. A test holds that it is current. */
import { PHRASES } from './reply.js'

/** As much of OpenAPI as our own document has. */
interface Document {
  readonly info: { readonly description: string }
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly paths: Readonly<Record<string, Readonly<Partial<Record<string, Operation>>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}
interface Operation {
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly security: readonly { readonly person?: readonly string[] }[]
  readonly parameters?: readonly {
    readonly in: string
    readonly name: string
    readonly required?: boolean
    readonly description?: string
    readonly schema: Schema
  }[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Readonly<
    Record<string, { readonly $ref?: string; readonly description?: string; readonly content?: Content }>
  >
}
type Content = Readonly<Record<string, { readonly schema: Schema }>>
interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly description?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly default?: unknown
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

/** Returns the page. `document` is what `/openapi.json` answers. */
export function apiPage(document: string): string {
  const { info, tags, paths, components } = JSON.parse(document) as Document // our own
  const chapters = tags.map(({ name, description }) => {
    const operations = Object.entries(paths).flatMap(([path, item]) =>
      METHODS.flatMap(method => {
        const operation = item[method]
        return operation?.tags[0] === name ? [section(`${method.toUpperCase()} ${path}`, operation)] : []
      }),
    )
    return [`## ${name}`, description, ...operations].join('\n\n')
  })
  const shapes = Object.entries(components.schemas).map(([name, schema]) =>
    [
      `### Shape: ${name}`,
      ...(schema.description === undefined ? [] : [schema.description]),
      table(['field', 'type', 'meaning'], fields(schema, '', true)),
    ].join('\n\n'),
  )
  return `<!-- Made by \`npm run docs\` from the definitions of the endpoints; do not edit. -->

# The HTTP interface

${info.description}

A coordinator shows the same at \`/docs\`, where it can be tried, and tells it to programs at \`/openapi.json\`.

Every endpoint may answer with the faults 400, 429, 500 and 503; those that want a token with 401 and 403, those with
braces in their path with 404, those with a body with 413. Each is a ${linkTo('Problem')}.

${chapters.join('\n\n')}

## Shapes

${shapes.join('\n\n')}
`
}

function section(title: string, operation: Operation): string {
  const { summary, description, parameters = [], requestBody, responses } = operation
  const [[type, body] = []] = Object.entries(requestBody?.content ?? {})
  const whole = type === 'multipart/form-data' ? 'form' : 'body'
  const given = [
    ...parameters.flatMap(({ in: where, name, schema, required = false, description: says }) =>
      fields({ ...schema, ...(says !== undefined && { description: says }) }, name, required).map(row => [
        where,
        ...row,
      ]),
    ),
    ...(body === undefined ? [] : fields(body.schema, '', true).map(row => [whole, ...row])),
  ]
  const answers = Object.entries(responses)
    .filter(([status, { $ref }]) => $ref === undefined || !COMMON.has(status))
    .map(([status, { $ref, description: says = '', content = {} }]) => {
      if ($ref !== undefined) return [status, PHRASES[Number(status)] ?? '', linkTo('Problem')]
      const [[type, media] = []] = Object.entries(content)
      if (media === undefined) return [status, says, '']
      return [status, says, type === 'application/json' ? typeOf(media.schema) : `\`${type}\``]
    })
  const told = Object.entries(responses).flatMap(([status, { content = {} }]) => {
    const { properties, required = [] } = content['application/json']?.schema ?? {}
    return Object.entries(properties ?? {}).flatMap(([name, schema]) =>
      fields(schema, name, required.includes(name), 1).map(row => [status, ...row]),
    )
  })
  return [
    `### \`${title}\``,
    `${summary}. ${accessOf(operation)}`,
    ...(description === undefined ? [] : [description]),
    ...(given.length === 0 ? [] : [table(['in', 'field', 'type', 'meaning'], given)]),
    table(['answer', 'meaning', 'body'], answers),
    ...(told.length === 0 ? [] : [table(['of', 'field', 'type', 'meaning'], told)]),
  ].join('\n\n')
}

/** Faults that every endpoint may have are told once, at the top. */
const COMMON = new Set(['400', '401', '403', '404', '413', '429', '500', '503'])

function accessOf({ security }: Operation): string {
  const names = security.flatMap(one => Object.keys(one))
  if (names.length === 0) return 'For everyone.'
  const role = `people with the role ${security.flatMap(({ person = [] }) => person).join()}`
  if (names.length < security.length) return `For this machine, and for ${role}.`
  return names.includes('agent') ? `For agents, and for ${role}.` : `For ${role}.`
}

// ── schemas in words ─────────────────────────────────────────────────────────────────────────────

/** How deep a table looks into what has no name of its own. */
const DEPTH_MAX = 4

/** Returns the rows of a schema: one for a plain value, one for each field of an object. */
function fields(schema: Schema, name: string, isRequired: boolean, depth = 0): string[][] {
  const { properties, required = [] } = schema
  const title = isRequired ? `\`${name}\`` : `\`${name}\`?`
  const own = name === '' ? [] : [[title, typeOf(schema), schema.description ?? '']]
  if (properties === undefined || depth === DEPTH_MAX) {
    return name === '' ? [['', typeOf(schema), schema.description ?? '']] : own
  }
  return [
    ...own,
    ...Object.entries(properties).flatMap(([key, value]) =>
      fields(value, name === '' ? key : `${name}.${key}`, required.includes(key), depth + 1),
    ),
  ]
}

/** Returns a schema as a person says it. */
function typeOf(schema: Schema): string {
  const {
    $ref,
    type = 'anything',
    const: value,
    enum: values,
    items,
    format,
    additionalProperties: others,
  } = schema
  if ($ref !== undefined) return linkTo($ref)
  if (value !== undefined) return `\`${JSON.stringify(value)}\``
  if (values !== undefined) return values.map(one => `\`${String(one)}\``).join(' or ')
  const ways = schema.anyOf ?? schema.oneOf
  if (ways !== undefined) return [...new Set(ways.map(typeOf))].join(' or ')
  if (items !== undefined) return `list of ${typeOf(items)}`
  if (typeof others === 'object') return `map of ${typeOf(others)}`
  const name = format === 'date-time' ? 'time, ISO 8601' : typeof type === 'string' ? type : type.join(' or ')
  return [name, boundsOf(schema), defaultOf(schema)].filter(part => part !== '').join(', ')
}

/** Returns a link to a shape, named by a reference or by itself. */
function linkTo($ref: string): string {
  const name = $ref.split('/').at(-1) ?? ''
  return `[${name}](#shape-${name.toLowerCase()})`
}

function boundsOf({ minimum, maximum, maxLength }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`
  if (minimum !== undefined) return `at least ${minimum}`
  if (maximum !== undefined) return `at most ${maximum}`
  return maxLength === undefined ? '' : `at most ${maxLength} characters`
}

const defaultOf = ({ default: value }: Schema): string =>
  value === undefined ? '' : `\`${JSON.stringify(value)}\` when left out`

const table = (heading: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heading, heading.map(() => '---'), ...rows]
    .map(row => `| ${row.map(cell => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`)
    .join('\n')
