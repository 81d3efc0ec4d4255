/** Whether the data directory is there, private, free or held by one who lives, and on a disk that keeps what is written. */
import { failed, type Finding, ok, warning } from './check.js'

export interface DataDirPorts {
  readonly path: string
  /** null: there is none yet. */
  readonly folder: { readonly mode: number; readonly uid: number } | null
  /** Whether one can be made, and if not, why. */
  readonly mayMake: string | null
  /** Who runs this. */
  readonly uid: number
  readonly holder: { readonly pid: number; readonly elsewhere: boolean } | null
  /** Where the holder listens. */
  readonly holderPorts: readonly number[]
  /** Whether the coordinator that holds it is the one that answers at the HTTP port. */
  readonly answers: boolean
  /** The HTTP port of these settings. */
  readonly port: number
  readonly freeBytes: number | null
  /** Writes a file and waits until the disk has it, ms; rejects when that fails. */
  readonly sync: () => Promise<number>
}

/** Below this a database of a mesh does not fit any more, bytes … */
const FREE_LEAST = 100e6
/** … and below this it soon will not, bytes. */
const FREE_GOOD = 1e9
/** A disk that takes longer than this delays what is written, ms. */
const SYNC_GOOD_MS = 200

export async function dataDir(ports: DataDirPorts): Promise<readonly Finding[]> {
  const { path, folder, mayMake, freeBytes } = ports
  const name = 'data dir'
  if (folder === null)
    return [
      mayMake === null
        ? ok(name, `${path} is not there yet: boson server makes it`)
        : failed(name, `${path} cannot be made (${mayMake})`, 'make it, or name another with BOSON_DATA_DIR'),
    ]
  return [access(ports, folder), lock(ports), space(path, freeBytes), await sync(ports)]
}

function access(
  { path, uid }: DataDirPorts,
  { mode, uid: owner }: { readonly mode: number; readonly uid: number },
): Finding {
  const name = 'data dir'
  if ((mode & 0o077) !== 0)
    return failed(
      name,
      `${path} can be entered by others (mode ${(mode & 0o777).toString(8)})`,
      `chmod 700 ${path}`,
    )
  if (owner !== uid)
    return warning(
      name,
      `${path} belongs to user ${owner}, and this is user ${uid}`,
      `run this as that user: sudo -u '#${owner}' boson doctor`,
    )
  return ok(name, `${path} is there, and private`)
}

function lock({ holder, holderPorts, answers, port }: DataDirPorts): Finding {
  const name = 'data lock'
  if (holder === null) return ok(name, 'free: no coordinator runs in it')
  const { pid, elsewhere } = holder
  if (elsewhere) return ok(name, `held by process ${pid} of another container or machine`)
  if (answers) return ok(name, `held by our coordinator (process ${pid})`)
  const listens = holderPorts.filter(each => each !== port)
  if (listens.length > 0)
    return warning(
      name,
      `held by process ${pid}, which listens on ${listens.join(', ')} and not on ${port}`,
      `look again with PORT=${listens[0]}`,
    )
  return failed(
    name,
    `held by process ${pid}, which does not answer at port ${port}`,
    `look into its log; if it hangs, end it: kill ${pid}`,
  )
}

function space(path: string, freeBytes: number | null): Finding {
  const name = 'disk space'
  if (freeBytes === null) return ok(name, 'this system does not tell')
  const has = `${(freeBytes / 1e9).toFixed(1)} GB free for ${path}`
  if (freeBytes < FREE_LEAST) return failed(name, has, 'make room: without it nothing can be kept')
  return freeBytes < FREE_GOOD ? warning(name, has, 'make room before it is used up') : ok(name, has)
}

async function sync({ path, sync: write }: DataDirPorts): Promise<Finding> {
  const name = 'disk writes'
  try {
    const ms = await write()
    const found = `written and on the disk in ${ms.toFixed(ms < 10 ? 1 : 0)} ms`
    return ms > SYNC_GOOD_MS
      ? warning(name, found, 'a slow disk delays snapshots: put the data directory on a quicker one')
      : ok(name, found)
  } catch (error) {
    return failed(
      name,
      `${path} takes no file (${error instanceof Error ? error.message : String(error)})`,
      'see to its rights and to the disk',
    )
  }
}
