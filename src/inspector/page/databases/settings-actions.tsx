/** How often servers are asked for what is kept, and how long it is: what admins change. */
import { ask } from '../live/hooks.js'
import type { Question } from '../ui/dialog.js'
import { Field } from '../ui/field.js'
import type { SettingsForm } from './kinds.js'

type Name = keyof SettingsForm

/** What each is called, and its unit. */
export const SETTINGS: readonly (readonly [name: Name, label: string, unit: string])[] = [
  ['activity_minutes', 'Connections and work, every', 'min'],
  ['sizes_minutes', 'Sizes of databases, every', 'min'],
  ['disk_minutes', 'File systems, every', 'min'],
  ['upkeep_hours', 'Largest tables, every', 'h'],
  ['history_months', 'All of these are kept for', 'months'],
  ['logs_days', 'Events are kept for', 'days'],
]

export const changeSettings = (settings: SettingsForm): Question => ({
  title: 'How often, and how long',
  verb: 'Change',
  isWide: true,
  consequence: (
    <p>It holds within half a minute. What is kept for less time is removed when it is too old.</p>
  ),
  fields: (
    <div class="form-grid">
      {SETTINGS.map(([name, label, unit]) => (
        <Field
          key={name}
          label={label}
          name={name}
          value={String(settings[name])}
          unit={unit}
          required
          inputMode="numeric"
        />
      ))}
    </div>
  ),
  async act(fields) {
    await ask(
      'PUT',
      '/pgmon/settings',
      Object.fromEntries(SETTINGS.map(([name, label]) => [name, whole(fields[name] ?? '', label)])),
    )
    return 'It is changed.'
  },
})

function whole(typed: string, label: string): number {
  if (!/^\s*\d{1,6}\s*$/.test(typed)) throw new Error(`${label}: wanted a whole number`)
  return Number(typed)
}
