// `npm run dev`: compiles at every change and starts the coordinator anew with what was compiled.
import { execFileSync, spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const inherit = { cwd: root, stdio: 'inherit' }
execFileSync(process.execPath, ['scripts/ensure.mjs'], inherit)
const children = [
  spawn(process.execPath, ['node_modules/typescript/bin/tsc', '--watch', '--preserveWatchOutput'], inherit),
  spawn(
    process.execPath,
    ['--watch-path=dist/src', 'bin/boson', 'server', ...process.argv.slice(2)],
    inherit,
  ),
]
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of children) child.kill(signal)
  })
}
for (const child of children) {
  child.on('exit', () => {
    for (const other of children) other.kill()
  })
}
