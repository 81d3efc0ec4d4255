/** Takes a port for a moment: the only way to know that it can be had. */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { isIPv6 } from 'node:net'
import type { Transport } from './proc.js'

/** Resolves with null when the port was had and is free again, else with the system's code. */
export function takePort(transport: Transport, address: string, port: number): Promise<string | null> {
  return transport === 'tcp' ? takeTcp(address, port) : takeUdp(address, port)
}

function takeTcp(host: string, port: number): Promise<string | null> {
  const server = createServer()
  return new Promise(resolve => {
    server.once('error', error => resolve(codeOf(error)))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}

function takeUdp(address: string, port: number): Promise<string | null> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  return new Promise(resolve => {
    const end = (code: string | null) => socket.close(() => resolve(code))
    socket.once('error', error => end(codeOf(error)))
    socket.bind({ address, port, exclusive: true }, () => end(null))
  })
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : error.message)
