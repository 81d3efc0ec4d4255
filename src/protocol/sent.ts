/** What a WebSocket's `send` came to; the numbers are uWebSockets’ own. */
export const SENT = { queued: 0, ok: 1, dropped: 2 } as const
export type SendResult = (typeof SENT)[keyof typeof SENT]
