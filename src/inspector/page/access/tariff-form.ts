/** What an admin types for a tariff, and what the coordinator is told of it. */
import { bytesOf, gigabytesOf } from './gigabytes.js'
import type { Tariff } from './kinds.js'

export type Fields = Readonly<Record<string, string>>

/** What is in the form before anything is typed. */
export const NEW: Fields = {
  name: '',
  description: '',
  price: '',
  currency: 'EUR',
  days: '30',
  grace: '0',
  devices: '5',
  traffic: '',
  slow: '0',
  kbps: '1000',
  groups: '',
}

export const fieldsOf = (tariff: Tariff): Fields => ({
  name: tariff.name,
  description: tariff.description,
  price: tariff.price,
  currency: tariff.currency,
  days: String(tariff.duration_days),
  grace: String(tariff.grace_hours),
  devices: String(tariff.device_limit),
  traffic: tariff.traffic_limit_bytes === null ? '' : gigabytesOf(tariff.traffic_limit_bytes),
  slow: gigabytesOf(tariff.throttled_bytes),
  kbps: String(tariff.throttle_kbps),
  groups: tariff.node_groups.join(', '),
})

/** Returns the body that says so; throws an Error for the person when a figure is none. */
export const bodyOf = (fields: Fields, archived: boolean) => ({
  name: text(fields, 'name'),
  description: text(fields, 'description'),
  price: text(fields, 'price').replace(',', '.'),
  currency: text(fields, 'currency').toUpperCase(),
  duration_days: whole(fields, 'days', 'Good for'),
  grace_hours: whole(fields, 'grace', 'Grace'),
  device_limit: whole(fields, 'devices', 'Devices'),
  traffic_limit_bytes: text(fields, 'traffic') === '' ? null : gigabytes(fields, 'traffic', 'Traffic'),
  throttled_bytes: gigabytes(fields, 'slow', 'Slow traffic after that'),
  throttle_kbps: whole(fields, 'kbps', 'How slow'),
  node_groups: text(fields, 'groups')
    .split(/[\s,]+/)
    .filter(group => group !== ''),
  archived,
})

/** Returns the body that changes nothing but whether it is sold. */
export const unchanged = (tariff: Tariff, archived: boolean) => {
  const { id: _, created_at: __, ...body } = tariff
  return { ...body, archived }
}

const text = (fields: Fields, name: string): string => (fields[name] ?? '').trim()

function whole(fields: Fields, name: string, label: string): number {
  const typed = text(fields, name)
  if (!/^\d{1,9}$/.test(typed)) throw new Error(`${label}: wanted a whole number`)
  return Number(typed)
}

function gigabytes(fields: Fields, name: string, label: string): number {
  const typed = text(fields, name)
  const bytes = bytesOf(typed === '' ? '0' : typed)
  if (bytes === null) throw new Error(`${label}: wanted gigabytes, such as 100 or 0.5`)
  return bytes
}
