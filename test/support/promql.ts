/** What a PromQL expression reads: the metrics it selects, by which labels, and the labels it groups and joins by. */

export interface Selector {
  readonly metric: string
  readonly matchers: readonly { readonly label: string; readonly op: string; readonly value: string }[]
}

export interface Reading {
  readonly selectors: readonly Selector[]
  readonly grouping: readonly string[]
}

const TOKEN =
  /\s+|"(?:[^"\\]|\\.)*"|(?:\d+(?:\.\d+)?(?:ms|[smhdwy])?)+|[a-zA-Z_:][a-zA-Z0-9_:]*|=~|!~|!=|==|>=|<=|[-+*/%^(){}[\],=<>@]/gy
const GROUPING = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right'])
const OPERATORS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan', 'start', 'end'])

/** Returns what the expression reads; throws where it cannot be read. Names before a parenthesis are functions. */
export function readingOf(expression: string): Reading {
  const tokens = tokensOf(expression)
  const selectors: Selector[] = []
  const grouping: string[] = []
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as string // inside
    if (!/^[a-zA-Z_:]/.test(token) || OPERATORS.has(token)) continue
    if (GROUPING.has(token)) {
      const end = tokens.indexOf(')', at)
      grouping.push(...tokens.slice(at + 2, end).filter(part => part !== ','))
      at = end
    } else if (tokens[at + 1] === '{') {
      const end = tokens.indexOf('}', at)
      selectors.push({ metric: token, matchers: matchersOf(tokens.slice(at + 2, end)) })
      at = end
    } else if (tokens[at + 1] !== '(' && !GROUPING.has(tokens[at + 1] ?? ''))
      selectors.push({ metric: token, matchers: [] })
  }
  return { selectors, grouping }
}

function tokensOf(expression: string): readonly string[] {
  const tokens: string[] = []
  let at = 0
  for (const match of expression.matchAll(TOKEN)) {
    if (match.index !== at) break
    at += match[0].length
    if (match[0].trim() !== '') tokens.push(match[0])
  }
  if (at !== expression.length) throw new Error(`cannot be read from here: ${expression.slice(at)}`)
  return tokens
}

function matchersOf(tokens: readonly string[]): Selector['matchers'] {
  const parts = tokens.filter(token => token !== ',')
  const matchers = []
  for (let at = 0; at < parts.length; at += 3) {
    const [label = '', op = '', value = ''] = parts.slice(at, at + 3)
    matchers.push({ label, op, value: value.slice(1, -1) })
  }
  return matchers
}

/** A metrics page, as far as it says which labels and values a metric has. */
export class MetricsPage {
  /** By the name of the sample: a histogram has three. */
  readonly #labels = new Map<string, Map<string, Set<string>>>()

  constructor(text: string) {
    for (const [, name = '', labels = ''] of text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/gm)) {
      const known = this.#labels.get(name) ?? new Map<string, Set<string>>()
      this.#labels.set(name, known)
      for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g))
        known.set(label, (known.get(label) ?? new Set()).add(value))
    }
  }

  has(metric: string): boolean {
    return this.#labels.has(metric)
  }

  labelsOf(metric: string): readonly string[] {
    return [...(this.#labels.get(metric)?.keys() ?? [])]
  }

  /** Returns whether any value of the label is one that the matcher lets through. */
  matches(metric: string, { label, op, value }: Selector['matchers'][number]): boolean {
    const values = [...(this.#labels.get(metric)?.get(label) ?? [])]
    if (!op.endsWith('~')) return values.includes(value)
    return value.split('|').every(part => values.some(one => new RegExp(`^(?:${part})$`).test(one)))
  }
}
