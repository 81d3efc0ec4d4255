/** Settings of the coordinator as flags of a command beside it: all are taken, few are told. */
import { type Command, Option } from 'commander'
import { addFlags } from './setting-options.js'
import { flagOf, yesNo } from './setting.js'
import { type SettingKey, SETTINGS } from './settings.js'

/** Adds the flags of these settings, hides those of the others, and adds `--config`; returns the command. */
export function addCoordinatorOptions(command: Command, told: readonly SettingKey[]): Command {
  addFlags(command, Object.fromEntries(told.map(key => [key, SETTINGS[key]])))
  for (const [key, { accepts, secret }] of Object.entries(SETTINGS))
    if (!secret && !told.some(each => each === key))
      command.addOption(new Option(`${flagOf(key)}${accepts === yesNo ? '' : ' <value>'}`).hideHelp())
  return command.addOption(new Option('--config <file>').hideHelp())
}
