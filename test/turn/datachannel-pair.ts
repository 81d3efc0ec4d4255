/**
 * Two WebRTC peers that may use a relay only, in a process of their own: the library's threads outlive a test.
 * The one argument is the list of their ICE servers; prints how they met and what arrived, as JSON.
 */
import { cleanup, type IceServer, PeerConnection } from 'node-datachannel'

const MESSAGES = 20
const [first, second] = ['first', 'second'].map(
  name =>
    new PeerConnection(name, {
      iceServers: JSON.parse(process.argv[2] ?? '[]') as IceServer[], // as the test wrote it
      iceTransportPolicy: 'relay',
    }),
) as [PeerConnection, PeerConnection] // two names

let received = 0
const types = new Set<string>()
for (const [from, to] of [
  [first, second],
  [second, first],
] as const) {
  from.onLocalDescription((sdp, type) => to.setRemoteDescription(sdp, type))
  from.onLocalCandidate((candidate, mid) => {
    types.add(/ typ (\w+)/.exec(candidate)?.[1] ?? 'unknown')
    to.addRemoteCandidate(candidate, mid)
  })
}
second.onDataChannel(channel => {
  channel.onMessage(() => {
    if (++received === MESSAGES) report()
  })
})
const channel = first.createDataChannel('test', { unordered: true, maxRetransmits: 0 })
channel.onOpen(() => {
  for (let i = 0; i < MESSAGES; i++) channel.sendMessage(`message ${i}`)
})

function report(): void {
  const { local, remote } = first.getSelectedCandidatePair() ?? {}
  const pair = [local?.type, remote?.type]
  for (const peer of [first, second]) peer.close()
  cleanup()
  process.stdout.write(`${JSON.stringify({ received, types: [...types], pair })}\n`)
}
