/** The clockwork that both ends share. One place: the documents and the defaults read it here. */
export const TIMING = {
  /** Silence before the coordinator closes a socket that has not registered, ms. */
  greetingMs: 5_000,
  /** Heartbeat interval, ms. */
  beatEveryMs: 10_000,
  /** A node that has been silent for this many beats gets no new routes, and its routes move. */
  lapseBeats: 1.5,
  /** Either end closes a socket on which nothing complete and valid has arrived for this many beats. */
  silenceBeats: 2,
  /** How long a session without a socket keeps its routes and links, ms. */
  resumeWindowMs: 120_000,
  /** How long a node may be without a socket before its clients are moved, ms. Longer than a quick reconnect. */
  failoverAfterMs: 750,
  /** How long a route that was given or has moved is left where it is, as long as its node can carry it, ms. */
  routeDwellMs: 60_000,
  /** How long both ends have to say `path.ready`, ms. */
  pathOpenMs: 10_000,
  /** First and longest ceiling of the agent's reconnect back-off, ms. */
  reconnectFirstMs: 500,
  reconnectMaxMs: 60_000,
  /** A session that stood for this long resets the back-off, ms. */
  stableAfterMs: 60_000,
  /** A ticket is renewed in-session this often, ms: before the TURN credentials that come with it are over (9 minutes). */
  renewEveryMs: 480_000,
} as const

export const SUBPROTOCOL = 'boson.v1'
/** Where agents connect: `wss://host/mesh`. */
export const MESH_PATH = '/mesh'
/** The largest WebSocket message before a session stands, bytes. */
export const GREETING_MESSAGE_MAX = 4_096
/** The largest WebSocket message, bytes: a bundle of relay packets. */
export const MESSAGE_MAX = 65_536
