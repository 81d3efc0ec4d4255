/**
 * A way into a namespace: a Unix socket is a file, so that it can be opened from outside, and what is said to it
 * is said inside to a TCP address. Arguments: the file, the address, the port.
 */
import { connect, createServer } from 'node:net'

const [path = '', host = '', port = ''] = process.argv.slice(2)

createServer(outside => {
  const inside = connect(Number(port), host)
  outside.pipe(inside).pipe(outside)
  outside.on('error', () => inside.destroy())
  inside.on('error', () => outside.destroy())
}).listen(path)
