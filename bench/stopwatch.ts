/** Nanoseconds that a piece of code takes, as CPU time: what a neighbour on the machine does counts little. */

/** Calls between two looks at the clock are doubled until they take this long, ms. */
const BATCH_MS = 5

/** Returns CPU nanoseconds per call, over about `forMs` of calling after a warm-up of a fifth of that. */
export function nanosPerCall(call: () => void, forMs: number): number {
  let batch = 1
  while (cpuMs(call, batch) < BATCH_MS) batch *= 2
  for (let spent = 0; spent < forMs / 5; ) spent += cpuMs(call, batch)
  let spent = 0
  let calls = 0
  while (spent < forMs) {
    spent += cpuMs(call, batch)
    calls += batch
  }
  return (spent / calls) * 1e6
}

function cpuMs(call: () => void, times: number): number {
  const before = process.cpuUsage()
  for (let i = 0; i < times; i++) call()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e3
}
