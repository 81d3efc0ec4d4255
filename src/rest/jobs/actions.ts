/** Jobs as the heartbeat of a node brings them. */
import type { NodeAction } from '../agents/agents.js'
import type { Jobs } from './jobs.js'

/** Returns what a node’s heartbeat asks for its actions. What a key is about goes into the payload. */
export const actionsOf =
  (jobs: Jobs) =>
  async (nodeId: string): Promise<readonly NodeAction[]> =>
    (await jobs.take(nodeId)).map(({ id, type, payload, key_id, email, expires_at }) => ({
      id,
      type,
      payload: key_id === null && email === null ? payload : { ...asObject(payload), key_id, email },
      expiresAt: expires_at,
    }))

const asObject = (payload: unknown): object =>
  typeof payload === 'object' && payload !== null ? payload : payload === null ? {} : { value: payload }
