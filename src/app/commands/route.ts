/** `boson route`: a decision for one client now, tried out or made. */
import { Command } from 'commander'
import type { Deliberation, RouteOutcome } from '../../actors/ports.js'
import { askedOf, comparedTable, qualifiedText, rejectedTable, TABLE_ROWS } from '../explanation-page.js'
import { EXIT } from '../exit-codes.js'
import { addOperatorOptions, Operator } from '../operator.js'
import { flag, list, yesNo } from '../setting.js'
import { addFlags, asFlags, readFlags } from '../setting-options.js'
import { name, WISH_SETTINGS, wishOf } from '../wish.js'

const EXAMPLES = `
Examples:
  $ boson route --client alice --dry-run                    who is there for her, and at what cost
  $ boson route --client alice --node fra-1                 she goes there now
  $ boson route --client alice --country DE --weigh rtt=2 --dry-run
  $ boson route --client alice --dry-run --json | jq '.explanation.compared[].nodeId'

What is asked for here comes on top of what the client itself has asked for, for this decision only: what is hard
holds together. Later ones heed the client's own request, and what \`boson steer\` has laid down.`

const FLAGS = {
  ...asFlags(WISH_SETTINGS),
  exit: flag(yesNo, 'The node forwards to the internet.'),
  exclude: flag(list(name, 32), 'None of these nodes.'),
}
/** What leaves the client where it was wanted. */
const DONE: ReadonlySet<RouteOutcome['outcome']> = new Set(['moved', 'kept'])
/** Rows for programs. */
const JSON_ROWS = 10_000

/** Returns the command. */
export const routeCommand = (): Command =>
  addOperatorOptions(addFlags(new Command('route'), FLAGS))
    .description('decide anew which node a client uses, or see how that would come out')
    .requiredOption('--client <id>', 'the client')
    .option('--dry-run', 'change nothing: show every node, best first, or why it is out')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Record<string, unknown>) => {
      const { exit, exclude, ...wished } = readFlags(FLAGS, options)
      const { weights, ...wish } = wishOf(wished)
      const isJson = options['json'] === true
      const answer = await new Operator(options).ask<Deliberation | RouteOutcome>(
        'POST',
        `/api/v1/routes?limit=${isJson ? JSON_ROWS : TABLE_ROWS}`,
        {
          clientId: options['client'],
          wish: {
            ...wish,
            ...(weights !== undefined && { weights: Object.fromEntries(weights) }),
            ...(exit !== null && { exit }),
            ...(exclude !== null && { exclude }),
          },
          dryRun: options['dryRun'] === true,
        },
      )
      process.stdout.write(`${isJson ? JSON.stringify(answer) : decisionPage(answer)}\n`)
      if ('outcome' in answer && !DONE.has(answer.outcome)) process.exitCode = EXIT.failed
    })

/** Returns what a person sees: what came of it, or would, then every node. */
export function decisionPage(answer: Deliberation | RouteOutcome): string {
  const { wish, steering, explanation, standing, order } = answer
  const { compared } = explanation
  // After the decision the table marks where the client is now.
  const nodeId = 'outcome' in answer ? answer.route?.nodeId : standing?.nodeId
  const parts = [
    [verdictOf(answer), ...askedOf(wish, steering, order)].join('\n'),
    compared.length === 0 ? '' : comparedTable(explanation, nodeId ?? null),
    rejectedTable(explanation),
  ]
  return parts.filter(part => part !== '').join('\n\n')
}

function verdictOf(answer: Deliberation | RouteOutcome): string {
  const { clientId, standing, explanation } = answer
  const { compared, considered } = explanation
  const best = compared[0]?.nodeId
  const of = qualifiedText(explanation)
  const from = standing?.nodeId
  if (best === undefined) {
    const nobody = `${considered === 0 ? 'There is no node' : `None of ${considered} nodes qualifies`}: ${clientId}`
    return from === undefined
      ? `${nobody} ${'outcome' in answer ? 'has' : 'would have'} no route.`
      : `${nobody} ${'outcome' in answer ? 'stays' : 'would stay'} on ${from}.`
  }
  if (!('outcome' in answer)) {
    if (from === undefined) return `${clientId} would get ${best}: ${of}.`
    return from === best
      ? `${clientId} would stay on ${best}: ${of}.`
      : `${clientId} would move from ${from} to ${best}: ${of}.`
  }
  if (from === undefined)
    return `${clientId} has no route: an order is for a route that stands. It gets one when it asks, now that would be ${best}; ${of}. What \`boson steer\` lays down holds from its first request.`
  return answer.outcome === 'kept'
    ? `${clientId} stays on ${best}: ${of}.`
    : `${clientId} moves from ${from} to ${best}: ${of}.`
}
