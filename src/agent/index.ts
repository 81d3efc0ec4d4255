/**
 * The agent as a library: a node or a client of the mesh in a program of yours. Everything that touches the
 * world is behind a port, with the Node adapters beside it.
 */
export { isLoopback, meshUrl } from './address.js'
export type { Counters, DropReason } from './counters.js'
export { DatagramTunnel, type DatagramTunnelOptions } from './datagram-tunnel.js'
export { DirectSocket } from './direct/direct-socket.js'
export { openDatagrams, type OpenDatagramsOptions } from './direct/open-datagrams.js'
export { type Doubts, UdpWay, type UdpWayOptions } from './direct/udp-way.js'
export type { DrainOptions, DrainOutcome, DrainProgress } from './drain.js'
export { dialWs, type DialWsOptions } from './dial-ws.js'
export { AgentError, type AgentErrorCode, RefusedError, RouteRefusedError } from './errors.js'
export { IceWay } from './ice/ice-way.js'
export { type AgentProfile, keyBytes } from './identity.js'
export { type Job, JobFailed, type JobOptions, type RunJob } from './jobs/job.js'
export { jobFile, type JobMemory, type KnownJob, volatileJobs } from './jobs/job-memory.js'
export { Jobs } from './jobs/jobs.js'
export { keyFile } from './key-file.js'
export type { LinkMetrics, LinkState, Tier, TunnelMetrics } from './link.js'
export { memoryFile, type MemoryFileOptions } from './memory-file.js'
export type { LinkStatus, MeshAgentEvents, MeshAgentOptions, MeshAgentStatus } from './mesh-agent.js'
export {
  MeshClient,
  type MeshClientEvents,
  type MeshClientOptions,
  type RouteOptions,
} from './mesh-client.js'
export { MeshNode, type MeshNodeEvents, type MeshNodeOptions, type MeshNodeStatus } from './mesh-node.js'
export { type NetworkWatchOptions, watchNetwork } from './network-watch.js'
export type {
  AgentMemory,
  AgentSocket,
  Dial,
  Datagrams,
  Gauges,
  LinkWay,
  OpenDatagrams,
  PathPolicy,
  Peer,
  SavedSession,
  SocketEvents,
  Tunnel,
  Way,
  WayHost,
} from './ports.js'
export { httpCarrier, type HttpCarrierOptions } from './reports/http-carrier.js'
export type { ClientSeen, Level, LogSeen, ResourceType, TrafficSeen } from './reports/records.js'
export {
  type Carrier,
  REPORT_DEFAULTS,
  Reporter,
  type ReporterOptions,
  type ReportOptions,
  type ReportStatus,
} from './reports/reporter.js'
export type { TrafficStep } from './reports/traffic.js'
export type { Route, RouteWish, SwitchCause } from './route.machine.js'
export { type Standing, volatileMemory } from './session.js'
export { AGENT_TIMING, type AgentTiming } from './timing.js'
export { UdpTunnel, type UdpTunnelOptions } from './udp-tunnel.js'
