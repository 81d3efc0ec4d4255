/** The views of monitored servers: loaded when one of them is looked at. */
import { Heading } from '../ui/parts.js'
import { lazy } from '../ui/lazy.js'

const load = () => import('./databases/views.js')

/** As large as what comes, so that nothing jumps. */
const meanwhile = (title: string) => (
  <>
    <Heading title={title} />
    <div class="table-place" aria-busy="true" />
  </>
)

export const Fleet = lazy(async () => (await load()).Fleet, meanwhile('Servers'))
export const OneServer = lazy(async () => (await load()).OneServer, meanwhile('Server'))
export const SshKeys = lazy(async () => (await load()).SshKeys, meanwhile('SSH keys'))
export const Monitor = lazy(async () => (await load()).Monitor, meanwhile('Collection'))
