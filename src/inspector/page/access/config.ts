/** Configurations of peers, completed where only the browser knows the private key. It knows no page. */

/** What the coordinator writes where it does not know the private key. */
const GAP = /^# PrivateKey = .*$/m

/** Returns the configuration with the private key in its place. */
export const completed = (conf: string, privateKey: string | null): string =>
  privateKey === null ? conf : conf.replace(GAP, () => `PrivateKey = ${privateKey}`)

/** Returns whether a device can use it as it is. */
export const isComplete = (conf: string): boolean => !GAP.test(conf)

/** Returns the name of a file that WireGuard takes: it names the interface, which has 15 characters at most. */
export const fileOf = (identity: string): string => `${identity.replace(/[^\w=+.-]/g, '').slice(0, 15)}.conf`
