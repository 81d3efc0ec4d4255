/** The rooms beside the mesh: which there are, and how they start and stop. */
import type { MeshApi } from '../actors/ports.js'
import type { Endpoint } from '../http/endpoint.js'
import type { Figure } from '../telemetry/figure.js'
import { reports } from '../reports/plugin.js'
import { rest } from '../rest/plugin.js'
import { webhooks } from '../rest/webhooks/plugin.js'
import type { Plugin, PluginHost, RunningPlugin } from './plugin.js'

/** Every plug-in of the product, in the order they start; they stop in the reverse. */
export const PLUGINS: readonly Plugin[] = [rest, reports, webhooks]

export interface Plugins {
  readonly routes: readonly Endpoint[]
  readonly figures: readonly Figure<void>[]
  stop(): Promise<void>
}

/** Starts plug-ins; when one cannot start, those before it stop again. Without a `room` there are none to start. */
export async function startPlugins(
  list: readonly Plugin[],
  mesh: MeshApi,
  host: Omit<PluginHost, 'room'> & { readonly room: PluginHost['room'] | undefined },
): Promise<Plugins> {
  const { room } = host
  const running: RunningPlugin[] = []
  const stop = async () => {
    for (const plugin of running.splice(0).reverse()) await plugin.stop()
  }
  try {
    if (room !== undefined)
      for (const plugin of list) running.push(await plugin.start(mesh, { ...host, room }))
  } catch (error) {
    await stop()
    throw error
  }
  return {
    routes: running.flatMap(({ routes }) => routes),
    figures: running.flatMap(({ figures = [] }) => figures),
    stop,
  }
}
