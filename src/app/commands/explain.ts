/** `boson explain`: how the route of a client came about, what it has been through, and how it looks now. */
import { Command } from 'commander'
import type { RouteStory } from '../../actors/ports.js'
import { stayedWords } from '../../mesh/route-words.js'
import { asDuration, columns } from '../columns.js'
import { askedOf, comparedTable, qualifiedText, rejectedTable, TABLE_ROWS } from '../explanation-page.js'
import { addOperatorOptions, Operator } from '../operator.js'

const EXAMPLES = `
Examples:
  $ boson explain alice
  $ boson explain alice --now                 also how every node looks for her at this moment
  $ boson explain alice --json | jq .explanation.compared`

/** Rows for programs. */
const JSON_ROWS = 10_000

/** Returns the command. */
export const explainCommand = (): Command =>
  addOperatorOptions(new Command('explain'))
    .description('say why a client uses the node that it uses')
    .argument('<client|route>', 'id of a client, or of its route')
    .option('--now', 'also every node as it is now, best first, or why it is out')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (id: string, options: Record<string, unknown>) => {
      const isJson = options['json'] === true
      const limit = String(isJson ? JSON_ROWS : TABLE_ROWS)
      const query = new URLSearchParams(options['now'] === true ? { now: 'true', limit } : {})
      const path = `/api/v1/routes/${encodeURIComponent(id)}/explanation?${query.toString()}`
      const story = await new Operator(options).ask<RouteStory>('GET', path)
      process.stdout.write(`${isJson ? JSON.stringify(story) : explanationPage(story)}\n`)
    })

/** Returns what a person sees: the decision as it was made, what came after, and the nodes as they are now. */
export function explanationPage(story: RouteStory): string {
  const { clientId, nodeId, wish, steering, explanation, now } = story
  const parts = [
    [headOf(story), decisionOf(story), ...askedOf(wish, steering), ...waitingOf(story)].join('\n'),
    explanation.compared.length === 0 ? '' : comparedTable(explanation, nodeId),
    rejectedTable(explanation, story.history.moves.at(-1)?.from ?? null),
    nextOf(story),
    movesOf(story),
  ]
  if (now !== null) {
    parts.push(
      `Now ${qualifiedText(now)} for ${clientId}.`,
      now.compared.length === 0 ? '' : comparedTable(now, nodeId),
      rejectedTable(now),
    )
  }
  return parts.filter(part => part !== '').join('\n\n')
}

function headOf({ clientId, nodeId, tier, via, routeId, link }: RouteStory): string {
  const path = via === null || tier === 'relayed' ? tier : `${tier} (${via})`
  return [`${clientId} → ${nodeId}`, path, `link ${link}`, `route ${routeId}`].join('   ')
}

function decisionOf({ explanation, history, assignedAtMs, nowMs, nodeId }: RouteStory): string {
  const { considered, qualified, compared } = explanation
  const ago = (ms: number) => `${asDuration((nowMs - ms) / 1000)} ago`
  const last = history.moves.at(-1)
  const when =
    last?.atMs === history.decidedAtMs
      ? `moved here ${ago(last.atMs)} (${last.cause})`
      : `decided ${ago(history.decidedAtMs)}`
  const since = history.decidedAtMs === assignedAtMs ? '' : `, first given ${ago(assignedAtMs)}`
  const first = compared[0]?.nodeId === nodeId ? 'the best' : 'one'
  return `${when}${since}\n${first} of ${compared.length} compared; ${qualified} of ${considered} nodes looked at qualified`
}

function waitingOf({ waiting, nodeId, nowMs }: RouteStory): string[] {
  if (waiting === null) return []
  const { cause, sinceMs, remainingMs } = waiting
  const end =
    remainingMs === null
      ? 'it stays until one does'
      : `it ends in ${asDuration(remainingMs / 1000)} unless one does`
  return [
    `pending: it has to leave ${nodeId} (${cause}, since ${asDuration((nowMs - sinceMs) / 1000)}) and no other node qualifies; ${end}`,
  ]
}

const nextOf = ({ alternatives }: RouteStory): string =>
  alternatives.length === 0
    ? 'Nobody was next: when this node goes, every other is looked at.'
    : `Looked at first when this node goes: ${alternatives.join(', ')}`

function movesOf({ history: { moved, moves, stayed }, nowMs }: RouteStory): string {
  const table = columns(
    ['MOVED', 'FROM', 'TO', 'CAUSE'],
    moves
      .toReversed()
      .map(({ atMs, from, to, cause }) => [`${asDuration((nowMs - atMs) / 1000)} ago`, from, to, cause]),
  )
  const reasons = Object.entries(stayed).map(([why, count]) => `${count} × ${stayedWords(why)}`)
  return [
    moved === 0 ? 'It has never moved.' : table,
    ...(moved > moves.length ? [`… ${moved} times in all`] : []),
    ...(reasons.length === 0 ? [] : ['It could have moved and stayed:', ...reasons.map(each => `  ${each}`)]),
  ].join('\n')
}
