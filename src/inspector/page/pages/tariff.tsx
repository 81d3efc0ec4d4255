/** One tariff: what it gives, and who has it. */
import { HOLDER, TERMS } from '../access/history-table.js'
import type { Subscription, Tariff } from '../access/kinds.js'
import { archiveTariff, changeTariff, removeTariff } from '../access/tariff-actions.js'
import { dateAndTime, price, time, traffic } from '../access/words.js'
import { useView } from '../live/hooks.js'
import { may } from '../live/who.js'
import { to } from '../route.js'
import { Act } from '../ui/actions.js'
import { Choice, TextFilter } from '../ui/filters.js'
import { count, plural } from '../ui/format.js'
import { List } from '../ui/list.js'
import { Empty, Facts, Fault, Heading, Panel, Tag } from '../ui/parts.js'

import { STATES } from './subscriptions.js'

/** Who has it is read from the database, ms. */
const EVERY_MS = 3000

export function OneTariff({ id }: { readonly id: string }) {
  const { value: tariff, fault, status } = useView<Tariff>(`/tariffs/${encodeURIComponent(id)}`, EVERY_MS)
  if (status === 404)
    return (
      <Empty title={`There is no tariff ${id}`}>
        <a href={to(['tariffs'])}>All tariffs</a>
      </Empty>
    )
  return (
    <>
      <Heading
        title={tariff?.name ?? <span class="skeleton" />}
        {...(tariff !== null && {
          about: <Tag tone={tariff.archived ? 'plain' : 'good'}>{tariff.archived ? 'archived' : 'sold'}</Tag>,
        })}
      >
        {tariff !== null && may('admin') && (
          <>
            <Act question={changeTariff(tariff)} />
            <Act question={archiveTariff(tariff)} />
            <Act question={removeTariff(tariff)} />
          </>
        )}
      </Heading>
      {fault !== null && <Fault>{fault}</Fault>}
      {tariff !== null && (
        <Panel title="What it gives">
          {tariff.description !== '' && <p class="prose">{tariff.description}</p>}
          <Facts
            of={[
              ['Price', price(tariff)],
              ['Good for', time(tariff)],
              ['Traffic', traffic(tariff)],
              ['Devices', plural(tariff.device_limit, 'device')],
              [
                'Nodes',
                tariff.node_groups.length === 0 ? 'any' : `those in ${tariff.node_groups.join(', ')}`,
              ],
              ['Made', dateAndTime(tariff.created_at)],
              ['Number', count(tariff.id)],
            ]}
          />
        </Panel>
      )}
      <h2>Who has it, or had it</h2>
      <List
        path="/user_tariffs/"
        rows="user_tariffs"
        filters={['q', 'status']}
        fixed={{ tariff_id: id }}
        columns={COLUMNS}
        keyOf={(row: Subscription) => String(row.id)}
        addressOf={({ email }) => to(['users', email])}
        noun="subscription"
        everyMs={EVERY_MS}
        empty={<Empty title="Nobody">Assign it to an account, or wait until somebody buys it.</Empty>}
      >
        <TextFilter name="q" label="Account contains" />
        <Choice name="status" label="State" options={STATES} />
      </List>
    </>
  )
}

const COLUMNS = [HOLDER, ...TERMS]
