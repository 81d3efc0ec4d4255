/**
 * Live paths as a drawing shows them: one by one while there are few, and else bundled, all that lead from one place to
 * one node on one tier. What a picture costs to send and to draw does not grow with the clients.
 */
import { bytesOf } from '../actors/path/path-bytes.js'
import type { IdentityId, PathRecord, PathTier, PicturedLink, Profile } from '../actors/ports.js'

/** Where a client says that it is. */
export type Place = Pick<Profile, 'country' | 'latitude' | 'longitude'>

/** Clients of one country within a square of this many degrees are at one place: about 500 km. */
const SQUARE_DEG = 5
/** More columns of squares than a turn around the world has. */
const COLUMNS = 1_000

const NOWHERE: Place = { country: null, latitude: null, longitude: null }

export class PathBundles {
  readonly #isSingle: boolean
  readonly #nodes: ReadonlySet<IdentityId>
  readonly #placeOf: (clientId: IdentityId) => Place | undefined
  /** By node, tier and place; a single one by its client too. */
  readonly #bundles = new Map<IdentityId, Map<string, Bundle>>()

  /** `isSingle`: each path stays by itself. Paths to other nodes than `nodes` are not drawn. */
  constructor(options: {
    readonly isSingle: boolean
    readonly nodes: ReadonlySet<IdentityId>
    readonly placeOf: (clientId: IdentityId) => Place | undefined
  }) {
    this.#isSingle = options.isSingle
    this.#nodes = options.nodes
    this.#placeOf = options.placeOf
  }

  add(path: PathRecord): void {
    const { nodeId, clientId, tier } = path
    if (!this.#nodes.has(nodeId)) return
    const place = this.#placeOf(clientId) ?? NOWHERE
    const key = this.#isSingle ? String(path.link) : `${tier} ${place.country} ${squareOf(place)}`
    let ofNode = this.#bundles.get(nodeId)
    if (ofNode === undefined) this.#bundles.set(nodeId, (ofNode = new Map()))
    let bundle = ofNode.get(key)
    if (bundle === undefined) ofNode.set(key, (bundle = new Bundle(nodeId, tier, place.country)))
    bundle.add(path, place)
  }

  /** Returns the links with the most clients first, `most` of them at most. */
  links(most: number): PicturedLink[] {
    const all = [...this.#bundles.values()].flatMap(ofNode => [...ofNode.values()])
    return all
      .sort((a, b) => b.clients - a.clients || b.bytes - a.bytes)
      .slice(0, most)
      .map(bundle => bundle.view())
  }
}

class Bundle {
  clients = 0
  bytes = 0
  readonly #nodeId: IdentityId
  readonly #tier: PathTier
  readonly #country: string | null
  readonly #latitude = new Mean()
  readonly #longitude = new Mean()
  readonly #rttMs = new Mean()
  readonly #lossPct = new Mean()
  readonly #reasons = new Map<string, number>()
  #last: PathRecord | null = null

  constructor(nodeId: IdentityId, tier: PathTier, country: string | null) {
    this.#nodeId = nodeId
    this.#tier = tier
    this.#country = country
  }

  add(path: PathRecord, { latitude, longitude }: Place): void {
    const { client, node, reason } = path
    const { toNode, toClient } = bytesOf(path)
    this.clients++
    this.bytes += toNode.relayed + toNode.turned + toNode.direct
    this.bytes += toClient.relayed + toClient.turned + toClient.direct
    if (latitude !== null && longitude !== null) {
      this.#latitude.add(latitude)
      this.#longitude.add(longitude)
    }
    this.#rttMs.add(client.rttMs ?? node.rttMs)
    this.#lossPct.add(client.lossPct ?? node.lossPct)
    if (reason !== null) this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1)
    this.#last = path
  }

  view(): PicturedLink {
    const one = this.clients === 1 ? this.#last : null
    return {
      nodeId: this.#nodeId,
      tier: this.#tier,
      clients: this.clients,
      clientId: one?.clientId ?? null,
      link: one?.link ?? null,
      country: this.#country,
      latitude: this.#latitude.value,
      longitude: this.#longitude.value,
      bytes: this.bytes,
      rttMs: this.#rttMs.value,
      lossPct: this.#lossPct.value,
      reasons: Object.fromEntries(this.#reasons),
    }
  }
}

/** Of the figures that are known. */
class Mean {
  #sum = 0
  #count = 0

  add(figure: number | null): void {
    if (figure === null) return
    this.#sum += figure
    this.#count++
  }

  get value(): number | null {
    return this.#count === 0 ? null : this.#sum / this.#count
  }
}

const squareOf = ({ latitude, longitude }: Place): number | null =>
  latitude === null || longitude === null
    ? null
    : Math.floor(latitude / SQUARE_DEG) * COLUMNS + Math.floor(longitude / SQUARE_DEG)
