import t from 'tap'
import { meshUrl } from '../../src/agent/address.js'

for (const [typed, meant] of [
  ['https://mesh.example', 'wss://mesh.example/mesh'],
  ['http://mesh.example:8080/', 'ws://mesh.example:8080/mesh'],
  ['wss://mesh.example/mesh', 'wss://mesh.example/mesh'],
  ['wss://mesh.example/behind/a/proxy', 'wss://mesh.example/behind/a/proxy'],
  ['mesh.example', 'wss://mesh.example/mesh'],
  ['mesh.example:8443', 'wss://mesh.example:8443/mesh'],
  [' HTTPS://Mesh.Example ', 'wss://mesh.example/mesh'],
  ['localhost:8080', 'ws://localhost:8080/mesh'],
  ['127.0.0.1:443', 'ws://127.0.0.1:443/mesh'],
  ['[::1]:8080', 'ws://[::1]:8080/mesh'],
  ['203.0.113.10:8080', 'wss://203.0.113.10:8080/mesh'],
] as const) {
  t.test(`${typed} means ${meant}`, async t => {
    t.equal(meshUrl(typed), meant)
  })
}

for (const [typed, why] of [
  ['', /it is not an address/],
  ['mesh.example:port', /it is not an address/],
  ['ftp://mesh.example', /ftp: is not spoken here/],
  ['https://token@mesh.example', /credentials and parameters do not belong in it/],
  ['https://mesh.example/?token=x', /credentials and parameters do not belong in it/],
] as const) {
  t.test(`${JSON.stringify(typed)} is refused, saying what was wanted`, async t => {
    t.throws(() => meshUrl(typed), { code: 'BAD_ADDRESS', message: why })
    t.throws(() => meshUrl(typed), { message: /wanted https:\/\/host, wss:\/\/host\/mesh or host:port/ })
  })
}
