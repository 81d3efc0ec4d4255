/** Jobs as nodes are told of them: with their heartbeats, or over their sessions. */
import type { NodeAction } from '../agents/agents.js'
import type { Job, Json } from './job.js'
import type { Jobs } from './jobs.js'

/** Returns what a node’s heartbeat asks for its actions. */
export const actionsOf =
  (jobs: Jobs) =>
  async (nodeId: string): Promise<readonly NodeAction[]> =>
    (await jobs.take(nodeId)).map(job => ({
      id: job.id,
      type: job.type,
      payload: payloadOf(job),
      expiresAt: job.expires_at,
    }))

/** Returns what goes with a job; what a key is about goes with it too. */
export const payloadOf = ({ payload, key_id, email }: Job): Json =>
  key_id === null && email === null ? payload : { ...asObject(payload), key_id, email }

const asObject = (payload: unknown): object =>
  typeof payload === 'object' && payload !== null ? payload : payload === null ? {} : { value: payload }
