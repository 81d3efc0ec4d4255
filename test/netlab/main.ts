/**
 * `npm run -s netlab -- ["node=SPEC client=SPEC"] [--json]`: what becomes of a pair behind NATs, or of every pair of
 * kinds. Outcomes go to stdout, progress to stderr.
 */
import { parseArgs } from 'node:util'
import { online } from './made-mesh.js'
import { KINDS, matrixLab, tryMatrix } from './matrix.js'
import { cannotRun } from './namespaces.js'
import { NatMesh } from './nat-mesh.js'
import { readSpecs } from './nat-spec.js'
import { asGrid, asTable } from './outcomes.js'
import { type Outcome, tryPair } from './trial.js'

const EXIT = { failed: 1, usage: 2, unable: 6, interrupted: 130 }

const USAGE = `Usage: npm run -s netlab -- ["node=SPEC client=SPEC"] [--json] [--no-turn] [--verbose]

Starts a coordinator, a node and a client in network namespaces of this machine, with the NATs that SPEC names
between them, and says what becomes of their path. Without a pair: every pair of ${KINDS.join(', ')}.
Needs Linux and root.

  SPEC       KIND[+KIND…][,OPTION…]: the routers before a host, the nearest first
  KIND       none, full, addr, port, sym: from no NAT to a symmetric one; block: no UDP
  OPTION     to=SECONDS (lifetime of mappings), remap (other ports), v6 (dual stack), lan=A.B.C (prefix)
             "client@node" puts the client on the LAN of the node
  --json     one object for a pair, a list of them for the matrix
  --no-turn  the coordinator serves no STUN and TURN
  --verbose  shows all that the programs say

Example: npm run -s netlab -- "node=port+sym client=full,remap" --json
`

class UsageError extends Error {}

function read(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        'no-turn': { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    const pair = positionals.length === 0 ? null : positionals.join(' ')
    const names = readSpecs(pair ?? 'node=none client=none').map(each => each.name)
    if (!(names.includes('node') && names.includes('client')))
      throw new UsageError(`wanted a node and a client, such as "node=port client=sym", not "${pair}"`)
    return { ...values, pair }
  } catch (error) {
    throw new UsageError((error as Error).message) // parseArgs and readSpecs throw Errors
  }
}

async function run({ pair, json, verbose, 'no-turn': noTurn }: ReturnType<typeof read>): Promise<void> {
  const mesh = await NatMesh.make(pair ?? matrixLab(KINDS), {
    logLevel: verbose ? 'debug' : 'warn',
    env: { ...(noTurn && { BOSON_TURN_MODE: 'off' }), ...(verbose && { LOG_LEVEL: 'info' }) },
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void mesh.remove().finally(() => process.exit(EXIT.interrupted)))
  try {
    const outcomes = pair === null ? await every(mesh) : [await one(mesh)]
    if (json) process.stdout.write(`${JSON.stringify(pair === null ? outcomes : outcomes[0])}\n`)
    else
      process.stdout.write(`${asTable(outcomes)}\n${pair === null ? `\n${asGrid(KINDS, outcomes)}\n` : ''}`)
  } finally {
    if (verbose) process.stderr.write(mesh.said)
    await mesh.remove()
  }
}

async function one(mesh: NatMesh): Promise<Outcome> {
  await online(mesh.startNode('node'))
  return (await tryPair(mesh, 'node', 'client')).outcome
}

async function every(mesh: NatMesh): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  await tryMatrix(mesh, ({ outcome }) => {
    outcomes.push(outcome)
    const { a, b, tier, via, reason } = outcome
    process.stderr.write(
      `${outcomes.length}: ${a} and ${b}: ${tier} by ${via}${reason === null ? '' : `, ${reason}`}\n`,
    )
  })
  return outcomes
}

try {
  const asked = read(process.argv.slice(2))
  const unable = cannotRun()
  if (asked.help) process.stdout.write(USAGE)
  else if (unable === false) await run(asked)
  else {
    process.stderr.write(
      `netlab: ${unable}: it makes network namespaces with routers and WireGuard in them\n`,
    )
    process.exitCode = EXIT.unable
  }
} catch (error) {
  const usage = error instanceof UsageError
  process.stderr.write(
    `netlab: ${usage ? `${(error as Error).message}\n\n${USAGE}` : (error as Error).stack}\n`,
  )
  process.exitCode = usage ? EXIT.usage : EXIT.failed
}
