/** Long work in short turns: sockets are served in between. */
import { setImmediate } from 'node:timers/promises'

/** Resolves when other work has had its turn. Nothing is measured or waited for. */
export const othersTurn = (): Promise<void> => setImmediate()
