/**
 * The limit for HTTP: a bare uWebSockets handler that reads a body, parses it as JSON, checks nothing, and answers the
 * same every time. It shares no code with the product, so that it stays the same when that changes.
 *
 *   bare-rest BYTES   so many in the answer
 */
import { App, us_socket_local_port } from 'uWebSockets.js'
import { attend } from './control.js'

const answer = JSON.stringify({ status: 'ok', filler: '' })
const body = JSON.stringify({
  status: 'ok',
  filler: 'x'.repeat(Math.max(0, Number(process.argv[2]) - answer.length)),
})
/** Takes every body, so that no compiler finds parsing useless. */
const sink: unknown[] = [undefined]

App()
  .any('/*', res => {
    res.onAborted(() => {})
    const pieces: Buffer[] = []
    res.onData((piece, isLast) => {
      pieces.push(Buffer.from(Buffer.from(piece)))
      if (!isLast) return
      sink[0] = JSON.parse(Buffer.concat(pieces).toString())
      res.cork(() => {
        res.writeHeader('Content-Type', 'application/json; charset=utf-8').end(body)
      })
    })
  })
  .listen('127.0.0.1', 0, socket => {
    if (socket === false) throw new Error('cannot listen')
    attend(us_socket_local_port(socket))
  })
