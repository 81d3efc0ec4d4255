/** One account: what it has, its devices and payments, and what it had. */
import {
  changeRole,
  disableAccount,
  newPassword,
  removeAccount,
  renameAccount,
} from '../access/account-actions.js'
import { TARIFF, TERMS } from '../access/history-table.js'
import type { Account, Entitlement, PageOf, Payment, Peer, Subscription } from '../access/kinds.js'
import { Standing, TariffLink } from '../access/marks.js'
import { NUMBER, REST } from '../access/payment-table.js'
import { addPeer } from '../access/peer-actions.js'
import { ACTIONS, ADDRESS, LINKED_NAME, PLACE, STATE } from '../access/peer-table.js'
import { assignTariff, moveEnd, withdrawTariff } from '../access/tariff-actions.js'
import { dateAndTime } from '../access/words.js'
import { useView } from '../live/hooks.js'
import { may } from '../live/who.js'
import { to } from '../route.js'
import { Act } from '../ui/actions.js'
import { count, plural } from '../ui/format.js'
import { Ago, Empty, Facts, Fault, Heading, Panel, Tag } from '../ui/parts.js'
import { Secret } from '../ui/secret.js'
import { Table } from '../ui/table.js'

/** What an account has is in memory; the rest is read from the database, ms. */
const EVERY_MS = 2000
/** Rows of each list; the whole of it is one click away. */
const ROWS = 20

/** `id`: its name. */
export function OneAccount({ id: name }: { readonly id: string }) {
  const {
    value: account,
    fault,
    status,
  } = useView<Account>(`/api/v1/users/${encodeURIComponent(name)}`, EVERY_MS)
  if (status === 404)
    return (
      <Empty title={`There is no account ${name}`}>
        <a href={to(['users'])}>All accounts</a>
      </Empty>
    )
  return (
    <>
      <Heading title={name} {...(account !== null && { about: account.role })}>
        {account !== null && may('admin') && (
          <>
            <Act question={changeRole(account)} />
            <Act question={renameAccount(account)} />
            <Act question={newPassword(account)} />
            <Act question={disableAccount(account)} />
            <Act question={removeAccount(account)} />
          </>
        )}
      </Heading>
      <Secret />
      {fault !== null && <Fault>{fault}</Fault>}
      {account !== null && <Whole account={account} />}
    </>
  )
}

function Whole({ account }: { readonly account: Account }) {
  const { userId, name } = account
  const { value: entitlement } = useView<Entitlement>(`/entitlements/${userId}`, EVERY_MS)
  return (
    <>
      <div class="columns">
        <Panel title="Tariff">
          {entitlement === null ? <div class="skeleton" /> : <HasTariff account={account} of={entitlement} />}
        </Panel>
        <Panel title="Account">
          <Facts
            of={[
              [
                'State',
                <Tag tone={account.disabledAt === null ? 'good' : 'warn'}>
                  {account.disabledAt === null ? 'good' : 'disabled'}
                </Tag>,
              ],
              ['Role', account.role],
              ['Number', count(userId)],
              ['Made', dateAndTime(account.createdAt)],
              [
                'Last sign-in',
                account.lastSignInAt === null ? (
                  'never'
                ) : (
                  <>
                    <Ago atMs={Date.parse(account.lastSignInAt)} /> ago
                  </>
                ),
              ],
              ['What was done', <a href={to(['audit'], { subject: name })}>its audit</a>],
            ]}
          />
        </Panel>
      </div>
      <Devices account={account} of={entitlement} />
      <Payments account={account} />
      <History account={account} />
    </>
  )
}

function HasTariff({ account, of }: { readonly account: Account; readonly of: Entitlement }) {
  const { tariff } = of
  const runs = tariff !== null && tariff.status !== 'ended'
  return (
    <>
      <Standing
        of={of}
        end={
          <>
            <Act question={assignTariff(account, tariff)} />
            {runs && <Act question={moveEnd(tariff)} />}
            {runs && <Act question={withdrawTariff(tariff)} />}
          </>
        }
      />
      {runs && (
        <Facts
          of={[
            ['Tariff', <TariffLink id={tariff.tariff_id} name={tariff.tariff_name} />],
            ['Since', dateAndTime(tariff.started_at)],
            ['Given by', tariff.granted_by],
            ['Nodes', tariff.node_groups.length === 0 ? 'any' : `those in ${tariff.node_groups.join(', ')}`],
          ]}
        />
      )}
    </>
  )
}

function Devices({ account, of }: { readonly account: Account; readonly of: Entitlement | null }) {
  const { userId, name } = account
  const { value } = useView<PageOf<'peers', Peer>>(`/vpn_peers/?user_id=${userId}&limit=${ROWS}`, EVERY_MS)
  return (
    <Panel
      title="Devices"
      {...(of !== null &&
        value !== null && { about: `${count(value.total)} of ${plural(of.device_limit, 'device')}` })}
      end={<Act question={addPeer({ userId, name })} />}
      flush={value !== null && value.total > 0}
    >
      {value === null ? (
        <div class="skeleton" />
      ) : value.total === 0 ? (
        <p class="quiet">It has none yet.</p>
      ) : (
        <Table
          caption="devices"
          columns={[LINKED_NAME, STATE, PLACE, ADDRESS, ACTIONS]}
          rows={value.peers}
          keyOf={({ id }) => String(id)}
          addressOf={({ id }) => to(['peers', String(id)])}
        />
      )}
    </Panel>
  )
}

function Payments({ account: { userId, name } }: { readonly account: Account }) {
  const { value } = useView<PageOf<'payments', Payment>>(
    `/payments/?user_id=${userId}&limit=${ROWS}`,
    EVERY_MS,
  )
  return (
    <Panel
      title="Payments"
      {...(value !== null &&
        value.total > ROWS && {
          about: <a href={to(['payments'], { q: name })}>all {count(value.total)}</a>,
        })}
      flush={value !== null && value.total > 0}
    >
      {value === null ? (
        <div class="skeleton" />
      ) : value.total === 0 ? (
        <p class="quiet">It has paid nothing, and was asked for nothing.</p>
      ) : (
        <Table
          caption="payments"
          columns={[NUMBER, ...REST]}
          rows={value.payments}
          keyOf={({ id }) => String(id)}
          addressOf={({ id }) => to(['payments', String(id)])}
        />
      )}
    </Panel>
  )
}

function History({ account: { userId } }: { readonly account: Account }) {
  const { value } = useView<PageOf<'user_tariffs', Subscription>>(
    `/user_tariffs/?user_id=${userId}&limit=${ROWS}`,
    EVERY_MS,
  )
  if (value === null || value.total === 0) return null
  return (
    <Panel title="What it has had" about="the newest first" flush>
      <Table
        caption="subscriptions"
        columns={[TARIFF, ...TERMS]}
        rows={value.user_tariffs}
        keyOf={({ id }) => String(id)}
      />
    </Panel>
  )
}
