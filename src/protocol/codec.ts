/** The codec of what agents and the coordinator say to each other. */
import { codecOf } from './codec-of.js'
import { ALL, type Wire } from './messages.js'
import { scan } from './scan.js'

export { FrameError, type FrameErrorCode } from './codec-of.js'

export const { encode, endOfValue, unpackList, eventOf, decode, decodeAll, definitionOf } = codecOf<Wire>(
  ALL,
  scan,
)
