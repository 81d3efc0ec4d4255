/** The checks of a machine that is to carry clients, or to be one: `boson doctor --node`. */
import { accessSync, closeSync, constants, existsSync, openSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { dialWs, meshUrl } from '../../agent/index.js'
import { toolEnvironment } from '../../agent/system/run.js'
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { tryServer } from '../../turn/try-server.js'
import { NODE_WANTED } from '../version.js'
import { type AgentMachinePorts, egress, reach, type Reached, tools, wireguard } from './agent-machine.js'
import type { Check } from './check.js'
import { clock } from './clock.js'
import { countBoth, isSynchronised } from './host.js'
import { nodeVersion } from './machine.js'
import { hasCapability } from './proc.js'
import { askRunning } from './running.js'

export interface NodeChecksOptions {
  /** The coordinator's address as it was given; null when nobody said. */
  readonly server: string | null
  readonly clock: Clock
  readonly random: Random
}

/** capability.h */
const CAP_NET_ADMIN = 12
/** Where STUN is on a coordinator, unless it says otherwise. */
const STUN_PORT = 3_478
/** For a request over UDP that may be lost, ms. */
const ANSWER_MS = 3_000
/** For the socket to open and the welcome to come, ms. */
const GREETED_MS = 2_500

/** Returns the checks of this machine as one that an agent runs on. */
export function nodeChecks({ server, clock: by, random }: NodeChecksOptions): readonly Check[] {
  const machine = machinePorts()
  const url = server === null ? null : meshUrl(server)
  const http = url === null ? null : new URL(url.replace(/^ws/, 'http')).origin
  const asked = http === null ? null : askRunning({ url: http, token: null, clock: by, insecure: false })
  return [
    {
      name: 'Node.js',
      look: () => [nodeVersion({ nodeVersion: process.version, nodeWanted: NODE_WANTED })],
    },
    { name: 'tools', look: () => tools(machine) },
    { name: 'wireguard', look: () => wireguard(machine) },
    {
      name: 'coordinator',
      look: () =>
        reach(http, async (): Promise<Reached> => {
          const answer = await asked
          if (answer === null) throw new Error('no coordinator is named')
          if (typeof answer === 'string') throw new Error(answer)
          if (answer.health === null) throw new Error('whoever answers there is no coordinator')
          const { roundTripMs, aheadMs } = answer
          return { roundTripMs, aheadMs, greeted: await greeting(url ?? '', by) }
        }),
    },
    {
      name: 'clock',
      look: async () => {
        const [counted, answer, synchronised] = await Promise.all([countBoth(by), asked, isSynchronised()])
        const ahead =
          answer === null || typeof answer === 'string' || answer.health === null
            ? []
            : [{ who: 'the coordinator', ms: answer.aheadMs, roundTripMs: answer.roundTripMs }]
        return clock({ ahead, counted, synchronised })
      },
    },
    {
      name: 'UDP',
      look: async () => {
        if (url === null) return [await egress(null)]
        const stun = `stun:${new URL(url).hostname}:${STUN_PORT}`
        const ask = () => tryServer({ url: stun, credential: null, clock: by, random, withinMs: ANSWER_MS })
        return [await egress(ask)]
      },
    },
  ]
}

/** Opens the socket that agents use, and waits for the coordinator's first word. */
function greeting(url: string, by: Clock): Promise<true | string> {
  return new Promise(resolve => {
    const timer = by.setTimeout(() => done('no answer'), GREETED_MS)
    const done = (outcome: true | string) => {
      by.clearTimeout(timer)
      resolve(outcome)
      socket.close(1_000, '')
    }
    const socket = dialWs()(url, {
      opened() {},
      received: () => done(true),
      closed: (code, reason) => done(reason === '' ? `closed with ${code}` : reason),
    })
  })
}

function machinePorts(): AgentMachinePorts {
  return {
    program,
    kernelHas: kernelHas(),
    tun: tunError(),
    netAdmin: hasCapability(CAP_NET_ADMIN),
  }
}

/** Returns where a program is, in the folders in which the agent looks. */
function program(name: string): string | null {
  const folders = (toolEnvironment()['PATH'] ?? '').split(':')
  return folders.map(folder => join(folder, name)).find(isExecutable) ?? null
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Loaded, built in, or a module that is there to be loaded. */
function kernelHas(): boolean | null {
  if (existsSync('/sys/module/wireguard')) return true
  const folder = `/lib/modules/${release()}`
  const lists = ['modules.builtin', 'modules.dep'].map(name => textOf(join(folder, name)))
  if (lists.every(list => list === null)) return null
  return lists.some(list => /\/wireguard\.ko/.test(list ?? ''))
}

function tunError(): string | null {
  try {
    closeSync(openSync('/dev/net/tun', constants.O_RDWR))
    return null
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
