/** Whether the coordinator's secrets are secrets. Nothing of them is printed. */
import { type Finding, failed, ok, warning } from './check.js'

export interface SecretPorts {
  readonly production: boolean
  /** What a start in production would refuse, a line each. */
  readonly problems: readonly string[]
  /** Files with secrets in the data directory, and their modes; only those that are there. */
  readonly files: readonly { readonly path: string; readonly mode: number }[]
}

export function secrets({ production, problems, files }: SecretPorts): readonly Finding[] {
  const open = files.filter(({ mode }) => (mode & 0o077) !== 0)
  return [
    ...problems.map(problem => {
      const [, what = '', why = problem] = /^(\w+): (.*)$/.exec(problem) ?? []
      const found = `${what}: ${why}`
      return production
        ? failed('secrets', found, 'boson server will not start like this')
        : warning('secrets', found, 'in production boson server would not start like this')
    }),
    ...open.map(({ path, mode }) =>
      failed(
        'secrets',
        `${path} can be read by others (mode ${(mode & 0o777).toString(8)})`,
        `chmod 600 ${path}`,
      ),
    ),
    ...(problems.length + open.length === 0
      ? [
          ok(
            'secrets',
            production
              ? 'set, long enough, and none that was published'
              : 'kept in the data directory, or long enough',
          ),
        ]
      : []),
  ]
}
