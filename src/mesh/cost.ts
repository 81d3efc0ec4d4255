/**
 * What carrying one more client on a node costs. Lower is better; a half-full node costs 1. Every term is
 * kept for the explanation. Self-reported figures (CPU, loss) weigh little, so that a node cannot talk
 * itself up; unknown counts as average, never as good.
 */
import { fullness, type NodeFacts } from './node-facts.js'

/** A node that states no limit is compared as if it had this many places. */
const ASSUMED_PLACES = 250
/** A round trip of this many ms costs as much as a half-full node. */
const RTT_SCALE_MS = 200
/** An unknown round trip counts as this many ms. */
const ASSUMED_RTT_MS = 50
/** What self-reported figures can add at most. */
const SELF_REPORTED_MAX = 0.3
/** Probes lost, %, at which loss adds all it can. */
const LOSS_SCALE_PCT = 10

export interface Cost {
  readonly cost: number
  /** Each term as it enters the cost; null is unknown. */
  readonly terms: Readonly<Record<'load' | 'rtt' | 'cpu' | 'loss', number | null>>
}

export function costOf(node: NodeFacts): Cost {
  const load = 2 * (fullness(node) ?? node.reserved / ASSUMED_PLACES)
  const rtt = node.rttMs === null ? null : node.rttMs / RTT_SCALE_MS
  const half = SELF_REPORTED_MAX / 2
  const cpu = node.cpuTotalPct === null ? null : half * Math.min(1, node.cpuTotalPct / 100)
  const loss = node.packetLossPct === null ? null : half * Math.min(1, node.packetLossPct / LOSS_SCALE_PCT)
  return {
    cost: load + (rtt ?? ASSUMED_RTT_MS / RTT_SCALE_MS) + (cpu ?? half / 2) + (loss ?? 0),
    terms: { load, rtt, cpu, loss },
  }
}
