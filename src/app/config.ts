/** The coordinator's configuration: its settings, and what follows from several of them together. */
import { provisionerOf } from '../access/peers/policy.js'
import { withFirstNames } from './first-names.js'
import { BadConfig, readSettings, type Sources, type ValuesOf } from './read-settings.js'
import { type SettingKey, SETTINGS } from './settings.js'

export { BadConfig, type Sources }

export type Config = Readonly<ValuesOf<typeof SETTINGS>> & {
  /** The address to listen on, decided. */
  readonly host: string
}

/** Returns the configuration, or throws a BadConfig that names every bad setting. */
export function readConfig(sources: Sources<SettingKey>): Config {
  const problems: string[] = []
  const env = withFirstNames(sources.env, problems)
  const config = readSettings(SETTINGS, { ...sources, env }, problems)
  if ((config.tlsCert === null) !== (config.tlsKey === null)) {
    const missing = config.tlsCert === null ? 'BOSON_TLS_CERT' : 'BOSON_TLS_KEY'
    problems.push(`${missing}: wanted a path, because the other half of the certificate is set`)
  }
  if (config.smtpUrl !== null && config.mailFrom === null)
    problems.push('MAIL_FROM: wanted an address that mail comes from, because SMTP_URL is set')
  if (config.turnMode === 'coturn' && config.turnPort === 0)
    problems.push('TURN_LISTENING_PORT: wanted a port from 1 to 65535, because BOSON_TURN_MODE is coturn')
  if (config.turnMode === 'external' && !config.turnUrls.some(url => url.startsWith('turn')))
    problems.push('BOSON_TURN_URLS: wanted at least one turn: or turns:, because BOSON_TURN_MODE is external')
  const { wgProvisioner: where, wgKeyPolicy: policy } = config
  if (where !== null && policy !== null && (where === 'wg-easy') !== (policy === 'wg-easy'))
    problems.push(
      `WG_KEY_POLICY: wanted ${where === 'wg-easy' ? 'wg-easy' : 'client, host or db'}, because WG_PROVISIONER is ${where}`,
    )
  const elsewhere = missingFor(config)
  if (elsewhere.length > 0)
    problems.push(`${elsewhere.join(', ')}: wanted, because peers go to ${provisionerOf(config)}`)
  if (problems.length > 0) throw new BadConfig(problems)
  return { ...config, host: config.host ?? (config.mode === 'production' ? '0.0.0.0' : '127.0.0.1') }
}

/** Returns the settings that are missing for where new peers go. */
function missingFor(config: ValuesOf<typeof SETTINGS>): readonly string[] {
  const wanted: Partial<Record<string, readonly SettingKey[]>> = {
    'wg-easy': ['wgEasyUrl', 'wgEasyPassword'],
    ssh: ['wgHostSsh', 'wgSshKey', 'wgPool4'],
  }
  const keys = wanted[provisionerOf(config)] ?? []
  return keys.filter(key => config[key] === null).map(key => SETTINGS[key].env)
}
