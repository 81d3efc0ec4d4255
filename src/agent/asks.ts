/**
 * An action that a machine only names: what it shall do is in the machine's `.effects.ts`, and a test reads
 * that it was asked for, with its params.
 */
export function asks<Params = undefined>() {
  return (_args: unknown, _params: Params): void => {}
}
