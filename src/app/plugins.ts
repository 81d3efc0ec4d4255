/** The rooms beside the mesh: which there are, and how they start and stop. */
import type { ClientView, MeshApi, NodeView } from '../actors/ports.js'
import type { Channel } from '../edge/channel.js'
import type { Endpoint } from '../http/endpoint.js'
import type { OpenRoom } from '../store/index.js'
import type { Figure } from '../telemetry/figure.js'
import { access } from '../access/plugin.js'
import { inspector } from '../inspector/plugin.js'
import { pgmon } from '../pgmon/plugin.js'
import { reports } from '../reports/plugin.js'
import { rest } from '../rest/plugin.js'
import { webhooks } from '../rest/webhooks/plugin.js'
import type { Plugin, PluginHost, RowsOf, RunningPlugin } from './plugin.js'

/** Every plug-in of the product, in the order they start; they stop in the reverse. */
export const PLUGINS: readonly Plugin[] = [access, rest, reports, webhooks, pgmon, inspector]

export interface Plugins {
  readonly routes: readonly Endpoint[]
  readonly figures: readonly Figure<void>[]
  readonly channels: readonly Channel[]
  readonly rows: MoreRows
  /** Returns what knows the tokens that each plug-in issued. */
  readonly recognisers: readonly NonNullable<RunningPlugin['recognise']>[]
  stop(): Promise<void>
}

/** What the plug-ins add to the rows of lists. */
export interface MoreRows {
  readonly nodes: RowsOf<NodeView>
  readonly clients: RowsOf<ClientView>
}

/** Starts plug-ins; when one cannot start, those before it stop again. Without a `room` there are none to start. */
export async function startPlugins(
  list: readonly Plugin[],
  mesh: MeshApi,
  host: Omit<PluginHost, 'room'> & { readonly room: OpenRoom | undefined },
): Promise<Plugins> {
  const { room } = host
  const running: RunningPlugin[] = []
  const stop = async () => {
    for (const plugin of running.splice(0).reverse()) await plugin.stop()
  }
  try {
    if (room !== undefined)
      for (const plugin of list) {
        const { name, migrations = {} } = plugin
        running.push(await plugin.start(mesh, { ...host, room: () => room(name, migrations) }))
      }
  } catch (error) {
    await stop()
    throw error
  }
  return {
    routes: running.flatMap(({ routes }) => routes),
    figures: running.flatMap(({ figures = [] }) => figures),
    rows: {
      nodes: together(running.flatMap(({ rows }) => rows?.nodes ?? [])),
      clients: together(running.flatMap(({ rows }) => rows?.clients ?? [])),
    },
    channels: running.flatMap(({ channels = [] }) => channels),
    recognisers: running.flatMap(({ recognise }) => recognise ?? []),
    stop,
  }
}

const together = <V>(all: readonly RowsOf<V>[]): RowsOf<V> => ({
  fields: Object.assign({}, ...all.map(({ fields }) => fields)) as RowsOf<V>['fields'], // of shapes
  of: view => Object.assign({}, ...all.map(each => each.of(view))) as object, // of objects
})
