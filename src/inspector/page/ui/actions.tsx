/**
 * What an operator can do to a node or a client. Each asks once, says what will happen, and is done by the endpoint that
 * the command line uses too; the audit keeps who did it.
 */
import type { ComponentChildren } from 'preact'
import { ask } from '../live/hooks.js'
import { may } from '../live/who.js'
import { confirm, type Question } from './dialog.js'
import { duration, plural } from './format.js'

/** Waits that one may choose from, ms. */
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** Buttons for the actor of an identity, `node/fra-1` or `client/alice`; nothing for other actors and for viewers. */
export function ActorActions({ id }: { id: string }) {
  const [kind, name] = [id.slice(0, id.indexOf('/')), id.slice(id.indexOf('/') + 1)]
  if (!may('operator') || (kind !== 'node' && kind !== 'client')) return null
  return (
    <>
      {kind === 'node' && <Act question={drain(name)} />}
      {kind === 'client' && <Act question={pin(name)} />}
      <Act question={reprobe(name)} />
      <Act question={kick(name)} />
      <Act question={revoke(name)} />
    </>
  )
}

export const Act = (props: {
  question: Question
  isSmall?: boolean
  /** What the button says; absent: the verb. */
  label?: string
}) => {
  const { question, isSmall, label = question.verb } = props
  return (
    <button
      type="button"
      class="button"
      {...(isSmall === true && { 'data-size': 'small' })}
      {...(question.isDangerous === true && { 'data-kind': 'danger' })}
      onClick={() => confirm(question)}
    >
      {label}
    </button>
  )
}

const identity = (id: string): string => `/api/v1/identities/${encodeURIComponent(id)}`

const drain = (id: string): Question => ({
  title: `Drain ${id}`,
  verb: 'Drain',
  consequence: (
    <p>
      Its clients move to other nodes, each keeping its old path until the new one carries. It is given no new
      ones until the drain is cancelled, also after a restart.
    </p>
  ),
  fields: (
    <Pick
      name="withinMs"
      label="Clients for whom no other node qualifies"
      options={[
        ['', 'Stay until one does'],
        [String(5 * MINUTE_MS), 'Lose their route after 5 minutes'],
        [String(HOUR_MS), 'Lose their route after an hour'],
      ]}
    />
  ),
  async act({ withinMs = '' }) {
    const { left } = await ask<{ left: number }>('POST', `/api/v1/nodes/${encodeURIComponent(id)}/drain`, {
      withinMs: withinMs === '' ? null : Number(withinMs),
    })
    return `${id} is drained: ${plural(left, 'route')} to move.`
  },
})

/** Takes a drain back. */
export const undrain = (id: string): Question => ({
  title: `Cancel the drain of ${id}`,
  verb: 'Cancel drain',
  consequence: <p>It is given new clients again. Those that have moved stay where they are.</p>,
  async act() {
    await ask('DELETE', `/api/v1/nodes/${encodeURIComponent(id)}/drain`)
    return `${id} is given new clients again.`
  },
})

const kick = (id: string): Question => ({
  title: `Kick ${id}`,
  verb: 'Kick',
  isDangerous: true,
  consequence: (
    <p>
      Its session ends at once, its routes move or end, and its ticket is worth nothing any more. Its agent
      comes back by itself and registers anew, when you let it.
    </p>
  ),
  fields: (
    <>
      <Pick
        name="forMs"
        label="It may come back"
        options={[
          ['0', 'At once'],
          [String(5 * MINUTE_MS), 'After 5 minutes'],
          [String(HOUR_MS), 'After an hour'],
        ]}
      />
      <Reason />
    </>
  ),
  async act({ forMs = '0', reason = '' }) {
    const { ended, refusedForMs } = await ask<{ ended: boolean; refusedForMs: number }>(
      'POST',
      `${identity(id)}/kick`,
      { forMs: Number(forMs), ...given({ reason }) },
    )
    const away = refusedForMs > 0 ? ` It is refused for ${duration(refusedForMs)}.` : ''
    return `${ended ? `The session of ${id} has ended.` : `${id} had no session.`}${away}`
  },
})

const revoke = (id: string): Question => ({
  title: `Revoke ${id}`,
  verb: 'Revoke',
  isDangerous: true,
  consequence: (
    <p>
      It never comes back: its session and routes end at once, and nobody is given its name, its key or its
      addresses again. <strong>Nothing takes this back.</strong>
    </p>
  ),
  fields: <Reason />,
  async act({ reason = '' }) {
    await ask('POST', `${identity(id)}/revoke`, given({ reason }))
    return `${id} is revoked.`
  },
})

const PROBE_WORDS = {
  asked: 'its agent tells within seconds what it found',
  away: 'it is not connected',
  cannot: 'its agent knows no probes',
  no_servers: 'there is no STUN server',
} as const

const reprobe = (id: string): Question => ({
  title: `Probe the network of ${id} again`,
  verb: 'Re-probe',
  consequence: (
    <p>Its agent looks anew at the NAT in front of it, and its paths try again to leave the relay.</p>
  ),
  async act() {
    const { probe, paths } = await ask<{ probe: keyof typeof PROBE_WORDS; paths: number }>(
      'POST',
      `${identity(id)}/reprobe`,
    )
    return `${id}: ${PROBE_WORDS[probe]}; ${plural(paths, 'path')} tried again.`
  },
})

const pin = (id: string): Question => ({
  title: `Pin ${id} to a node`,
  verb: 'Pin',
  consequence: (
    <p>
      It uses this node and no other, from now on; while the node cannot take it, it has no route. Leave the
      field empty to take a pin back.
    </p>
  ),
  fields: (
    <label class="field">
      <span>Node</span>
      <input class="input" name="node" autocomplete="off" spellcheck={false} placeholder="none" />
    </label>
  ),
  async act({ node = '' }) {
    const to = node.trim()
    await ask('PATCH', `${identity(id)}/steering`, { pin: to === '' ? null : to })
    return to === '' ? `${id} is not pinned any more.` : `${id} is pinned to ${to}.`
  },
})

/** Changes how much the coordinator logs, for a while. */
export const logLevel = (now: string): Question => ({
  title: 'Log level of the coordinator',
  verb: 'Change',
  consequence: <p>It is {now} now, and returns to what the settings say by itself.</p>,
  fields: (
    <>
      <Pick
        name="level"
        label="Level"
        options={['debug', 'info', 'warn', 'error'].map(level => [level, level] as const)}
      />
      <Pick
        name="forMs"
        label="For"
        options={[
          [String(10 * MINUTE_MS), '10 minutes'],
          [String(HOUR_MS), 'an hour'],
          [String(24 * HOUR_MS), 'a day'],
        ]}
      />
    </>
  ),
  async act({ level = 'debug', forMs = '' }) {
    await ask('PUT', '/api/v1/log-level', { level, forMs: Number(forMs) })
    return `The coordinator logs ${level} for ${duration(Number(forMs))}.`
  },
})

/** Fields that were filled in. */
const given = (fields: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value.trim() !== ''))

const Reason = () => (
  <label class="field">
    <span>Why, for the agent and the audit</span>
    <input class="input" name="reason" autocomplete="off" maxLength={123} placeholder="optional" />
  </label>
)

export const Pick = (props: {
  name: string
  label: ComponentChildren
  options: readonly (readonly [value: string, label: string])[]
  /** What is chosen at first; absent: the first. */
  value?: string
}) => (
  <label class="field">
    <span>{props.label}</span>
    <select class="input" name={props.name}>
      {props.options.map(([value, label]) => (
        <option key={value} value={value} selected={value === props.value}>
          {label}
        </option>
      ))}
    </select>
  </label>
)
