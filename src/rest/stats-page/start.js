/** Shows the servers that send heartbeats, and the last of them of the one that is chosen. */
const REFRESH_MS = 30_000
const BEATS = 100
const PLOTS = [
  { name: 'CPU', unit: '%', of: beat => beat.cpu_total_pct },
  {
    name: 'Memory in use',
    unit: '%',
    of: ({ mem_total_mb: total, mem_free_mb: free }) =>
      total === null || free === null || total === 0 ? null : 100 * (1 - free / total),
  },
  { name: 'Traffic', unit: 'Mbit/s', of: beat => beat.bw_total_mbps },
  { name: 'Latency p50', unit: 'ms', of: beat => beat.latency_p50_ms },
  { name: 'Packet loss', unit: '%', of: beat => beat.packet_loss_pct },
  { name: 'Connections', unit: '', of: beat => beat.active_conns },
]
const SVG = 'http://www.w3.org/2000/svg'

let token = ''
let chosen = null

const find = selector => document.querySelector(selector)

/** Text is only ever set as text: names and descriptions come from agents. */
function element(name, { text, ...attributes } = {}, ...children) {
  const made = document.createElement(name)
  if (text !== undefined) made.textContent = text
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

function say(text, isBad = false) {
  find('#said').textContent = text
  find('#said').classList.toggle('bad', isBad)
}

async function ask(path) {
  const response = await fetch(path, { headers: { authorization: `Bearer ${token}` } })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.detail ?? `status ${response.status}`)
  return answer
}

const figure = (value, unit) =>
  value === null || value === undefined
    ? '–'
    : `${value < 10 ? value.toFixed(1) : Math.round(value)}${unit && ` ${unit}`}`

function ago(time) {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1000))
  if (seconds < 90) return `${seconds} s ago`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h ago`
  return `${Math.round(seconds / 86_400)} d ago`
}

function rowOf(server, stats) {
  const name = element('button', { type: 'button', text: server.name })
  name.addEventListener('click', () => choose(server))
  const state = server.is_online ? 'online' : 'offline'
  return element(
    'tr',
    {},
    element('td', {}, name),
    element('td', { class: state, text: state }),
    element('td', { text: ago(server.last_heartbeat_at) }),
    element('td', { class: 'figure', text: figure(stats.avg_cpu_pct, '%') }),
    element('td', { class: 'figure', text: figure(stats.avg_mem_usage_pct, '%') }),
    element('td', { class: 'figure', text: figure(stats.avg_latency_ms, 'ms') }),
    element('td', { class: 'figure', text: String(stats.heartbeat_count) }),
  )
}

async function show() {
  const { servers, total } = await ask('servers?limit=100')
  const stats = await Promise.all(
    servers.map(({ server_id: id }) => ask(`servers/${encodeURIComponent(id)}/stats`)),
  )
  find('tbody').replaceChildren(...servers.map((server, i) => rowOf(server, stats[i])))
  const online = servers.filter(({ is_online: isOnline }) => isOnline).length
  if (total === 0) say('No heartbeat has come yet: agents send them to POST /heartbeat.')
  else
    say(`${online} of ${total} online${total > servers.length ? `, the first ${servers.length} shown` : ''}`)
  if (chosen !== null) await plot(chosen)
}

async function choose(server) {
  chosen = server
  await attempt(() => plot(server))
  find('#one').scrollIntoView({ block: 'nearest' })
}

async function plot({ server_id: id, name, description }) {
  const { heartbeats } = await ask(`servers/${encodeURIComponent(id)}/heartbeats?limit=${BEATS}`)
  // The newest come first.
  const beats = heartbeats.toReversed()
  find('#one').hidden = false
  find('#one h2').textContent = description === '' ? name : `${name}: ${description}`
  find('#plots').replaceChildren(...PLOTS.map(one => plotOf(one, beats)))
}

function plotOf({ name, unit, of }, beats) {
  const values = beats.map(of)
  const known = values.filter(value => value !== null && value !== undefined)
  const most = Math.max(1, ...known)
  const caption = element(
    'figcaption',
    {},
    element('span', { text: name }),
    element('span', {
      class: 'quiet',
      text:
        known.length === 0 ? 'not told' : `now ${figure(values.at(-1), unit)}, at most ${figure(most, unit)}`,
    }),
  )
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('viewBox', '0 0 100 100')
  svg.setAttribute('preserveAspectRatio', 'none')
  svg.setAttribute('role', 'img')
  svg.setAttribute(
    'aria-label',
    `${name} of the last ${beats.length} heartbeats, from 0 to ${figure(most, unit)}`,
  )
  const line = document.createElementNS(SVG, 'polyline')
  const step = 100 / Math.max(1, values.length - 1)
  line.setAttribute(
    'points',
    values
      .flatMap((value, i) =>
        value === null || value === undefined ? [] : [`${i * step},${98 - (value / most) * 96}`],
      )
      .join(' '),
  )
  svg.append(line)
  return element('figure', {}, caption, svg)
}

async function attempt(work) {
  try {
    await work()
    return true
  } catch (error) {
    say(
      error instanceof TypeError ? 'The coordinator does not answer; this page tries again.' : error.message,
      true,
    )
    return false
  }
}

find('#sign-in').addEventListener('submit', async event => {
  event.preventDefault()
  token = find('#token').value.trim()
  if (!(await attempt(show))) return
  find('#sign-in').hidden = true
  find('main').hidden = false
  setInterval(() => attempt(show), REFRESH_MS)
})
