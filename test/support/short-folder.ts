/** Folders whose names leave room for that of a Unix socket, which has at most 107 bytes. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What our sockets and those of Chromium add to the name of the temporary folder is shorter than the rest, bytes. */
const ROOM_FOR = 60

/** The temporary folder of this machine, or a nearer one. */
export const SHORT_TMP = tmpdir().length <= ROOM_FOR ? tmpdir() : '/tmp'

/** Makes a folder for whoever asks, who removes it. */
export const shortFolder = (): string => mkdtempSync(join(SHORT_TMP, 'boson-'))
