/** What is loaded together when the first view of servers is looked at. */
export { Fleet } from './fleet.js'
export { OneServer } from './server.js'
export { SshKeys } from './ssh-keys.js'
export { Monitor } from './monitor.js'
