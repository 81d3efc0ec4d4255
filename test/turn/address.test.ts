import fc from 'fast-check'
import t from 'tap'
import { endpointText, ipBytes, ipText } from '../../src/protocol/address.js'

t.test('addresses have one spelling', async t => {
  const spellings: Readonly<Record<string, string>> = {
    '192.0.2.1': '192.0.2.1',
    '0.0.0.0': '0.0.0.0',
    '::': '::',
    '::1': '::1',
    '1::': '1::',
    '2001:DB8:0:0:0:0:0:1': '2001:db8::1',
    '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
    '2001:0:0:1:0:0:0:1': '2001:0:0:1::1',
    '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
    'fe80::1%eth0': 'fe80::1',
    '::ffff:192.0.2.1': '::ffff:c000:201',
    '1:2:3:4:5:6:7:8': '1:2:3:4:5:6:7:8',
    '::2:3:4:5:6:7:8': '0:2:3:4:5:6:7:8',
  }
  for (const [given, canonical] of Object.entries(spellings)) {
    const bytes = ipBytes(given)
    t.equal(bytes && ipText(bytes), canonical, given)
  }
})

t.test('what is no address is none', async t => {
  const texts = ['', 'a', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.4 ', '0x1.2.3.4', ':', ':::']
  const more = [
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'g::',
    '::1.2.3',
    '1:2:3:4:5:6:7:8::',
  ]
  for (const text of [...texts, ...more]) t.equal(ipBytes(text), null, text)
})

t.test('bytes become text and the same bytes again', async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }),
  )
  fc.assert(
    fc.property(bytes, ip => ipBytes(ipText(Uint8Array.from(ip)))?.equals(Uint8Array.from(ip)) === true),
    { seed: 1 },
  )
})

t.test('an endpoint is written as in a URL', async t => {
  t.equal(endpointText({ address: '192.0.2.1', port: 80 }), '192.0.2.1:80')
  t.equal(endpointText({ address: '::1', port: 80 }), '[::1]:80')
})
