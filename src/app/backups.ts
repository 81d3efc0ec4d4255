/**
 * Where backups are, what they are called, and how many are kept: `<data directory>/backups`, for the coordinator and
 * for the commands beside it.
 */
import { createHmac } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { About } from '../store/backup/index.js'
import type { Config } from './config.js'
import { keptSecret, SERVER_ID_FILE, VAULT_KEY_FILE } from './secrets.js'
import { VERSION } from './version.js'

/** What follows the time in the name of a backup that was made before tables were changed. */
const BEFORE = '-before-migration'
const NAME = /^boson-\d{8}T\d{6}(\.\d+)?(-before-migration)?\.backup$/
/** A process that was killed while it wrote has left these; whoever writes now is quicker, ms. */
const FORGOTTEN_MS = 86_400_000

export interface BackupFile {
  readonly file: string
  readonly bytes: number
  /** ms since 1970 UTC. */
  readonly writtenAtMs: number
}

/** Returns the path of a new backup. */
export function newBackup(config: Config, nowMs: number, why: 'asked' | 'migration'): string {
  const folder = folderOf(config)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const time = new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')
  const there = new Set(readdirSync(folder))
  for (let number = 1; ; number++) {
    const name = `boson-${time}${number === 1 ? '' : `.${number}`}${why === 'migration' ? BEFORE : ''}.backup`
    if (!there.has(name)) return join(folder, name)
  }
}

/** Returns the backups that are in the folder, the newest first. */
export function listBackups(config: Config): readonly BackupFile[] {
  const folder = folderOf(config)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter(name => NAME.test(name))
    .map(name => {
      const { size, mtimeMs } = statSync(join(folder, name))
      return { file: name, bytes: size, writtenAtMs: mtimeMs }
    })
    .toSorted((a, b) => b.writtenAtMs - a.writtenAtMs || (a.file < b.file ? 1 : -1))
}

/** Removes all but the newest of the backups that were made before tables were changed, and what was never finished. */
export function tidyBackups(config: Config, nowMs: number): void {
  const folder = folderOf(config)
  const before = listBackups(config).filter(({ file }) => file.endsWith(`${BEFORE}.backup`))
  for (const { file } of before.slice(config.backupsKept)) rmSync(join(folder, file))
  for (const name of readdirSync(folder).filter(each => /\.part$|^copy-/.test(each)))
    if (nowMs - statSync(join(folder, name)).mtimeMs > FORGOTTEN_MS)
      rmSync(join(folder, name), { recursive: true, force: true })
}

/** Returns what a backup of this coordinator says of it. */
export function aboutBackup(config: Config, nowMs: number): About {
  return {
    version: VERSION,
    serverId: config.serverId ?? keptSecret(config.dataDir, SERVER_ID_FILE),
    vaultKeyId: vaultKeyIdOf(config),
    nowMs,
  }
}

/** Returns what tells the key of the vault from others, and nothing else of it; null when there is none. */
export function vaultKeyIdOf(config: Config): string | null {
  const key = config.vaultKey ?? keptSecret(config.dataDir, VAULT_KEY_FILE)
  return key === null ? null : createHmac('sha256', key).update('boson backup').digest('hex').slice(0, 16)
}

const folderOf = ({ dataDir }: Config): string => resolve(dataDir, 'backups')
