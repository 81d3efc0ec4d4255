/** What the TURN servers of a bench and their clients agree on. */

/** The servers and the clients. */
export const ADDRESS = '127.0.0.1'
/** The server's own address is no peer, so peers have another one of this machine. */
export const PEERS = '127.0.0.2'
export const REALM = 'bosonserver'
export const SECRET = 'a secret that opens nothing but a bench'
