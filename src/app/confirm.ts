/** What cannot simply be taken back is asked once; a script says --yes. */
import { createInterface } from 'node:readline/promises'
import { CommandError, EXIT } from './exit-codes.js'

/** Resolves when whoever sits at the terminal types `word`; rejects with a CommandError otherwise. `why` says why it is asked. */
export async function confirmed(
  word: string,
  { why, question }: { readonly why: string; readonly question: string },
): Promise<void> {
  if (process.stdin.isTTY !== true) throw new CommandError('USAGE', `${why}: wanted --yes`, EXIT.usage)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const typed = await terminal.question(`${question} Type ${word} to go on: `)
  terminal.close()
  if (typed.trim() !== word) throw new CommandError('CANCELLED', 'nothing was done')
}
