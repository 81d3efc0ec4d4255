/** Secrets in the text of queries: nobody sees them, wherever the text ends. */
import * as fc from 'fast-check'
import t from 'tap'
import { masked } from '../../src/pgmon/activity/masking.js'
import { tokensOf } from '../../src/pgmon/activity/sql-tokens.js'

const SECRET = 'Xq7vWz9k'
/** Two characters of it together tell something. */
const LEAKS = Array.from({ length: SECRET.length - 1 }, (_, at) => SECRET.slice(at, at + 2))

/** `~` stands for the secret. */
const QUERIES = [
  `alter role app password '~'`,
  `ALTER USER "app" WITH ENCRYPTED PASSWORD '~' VALID UNTIL '2030-01-01'`,
  `create user app password /* new */ -- one\n '~'`,
  `create role a login password e'~' createdb`,
  `create role a password U&'~'`,
  `create role a password 'first half'\n  '~'`,
  `alter role a password $$~$$; alter role b password $tag$~$tag$`,
  `create user mapping for a server b options (user 'a', password '~')`,
  `alter server b options (set sslpassword '~', add host 'h')`,
  `create subscription s connection 'host=h user=u password=~' publication p`,
  `create subscription s connection 'host=h password = ''~'' user=u' publication p`,
  `create subscription s connection e'host=h password=\\'~\\' user=u' publication p`,
  `select * from dblink('postgres://app:~@db.example/shop', 'select 1') as t(a int)`,
  `select dblink_connect('c', $$host=h password=~ dbname=d$$)`,
  `select dblink_exec('c', 'alter role a password ''~''')`,
  `do $$ begin execute 'alter role a password ''~'''; end $$`,
  `do $$ begin execute format('alter role %I password %L', 'a', '~'); end $$`,
  `do $body$ begin execute 'alter role a password $x$~$x$'; end $body$`,
  `do $$ begin execute 'alter role a password ''' || '~' || ''''; end $$`,
  `select dblink_connect('host=h password=' || '~')`,
  `select set_config('app.jwt_secret', '~', false)`,
  `set app.api_key = '~'`,
  `set session "app.password" to '~'`,
  `update users set password = crypt('~', gen_salt('bf')) where id = 7`,
  `select public.pgp_sym_decrypt(note, '~') from notes`,
  `select * from users where password = '~' and name in ('a')`,
  `select * from sessions where token in ('~')`,
  `select log_in(name => 'a', password => '~')`,
  `insert into hooks (body) values ('{"url": "u", "password": "~", "n": 1}')`,
  `insert into calls (header) values ('Authorization: Bearer ~')`,
  `copy t from program 'curl https://a:~@host/x.csv'`,
  `select 1 -- password: ~`,
  `/* postgres://a:~@h/d */ select 1`,
  `PGPASSWORD=~ psql -h db`,
  `postgres://a:~@h/d`,
  `alter role a password 'SCRAM-SHA-256$4096:~$~:~'`,
] as const

t.test('what is secret in a query is not told, wherever the text ends', async t => {
  for (const query of QUERIES) {
    const whole = query.replaceAll('~', SECRET)
    for (let end = whole.length; end > 0; end--) {
      const told = masked(whole.slice(0, end))
      const leak = LEAKS.find(part => told.includes(part))
      if (leak !== undefined) t.fail(`${whole.slice(0, end)} is told as ${told}`)
    }
    t.match(masked(whole), '***', masked(whole))
  }
})
t.test('whatever a password is, it is not told', async () => {
  const password = fc
    .array(fc.constantFrom("'", '"', '\\', '$', ' ', '@', '/', '=', ';', '%', 'a', 'é', '漢', '😀'), {
      maxLength: 12,
    })
    .map(parts => `${SECRET.slice(0, 4)}${parts.join('')}${SECRET.slice(4)}`)
  const spelt = fc
    .tuple(
      password,
      fc.constantFrom<readonly [string, (text: string) => string]>(
        ['alter role a password %', text => `'${text.replaceAll("'", "''")}'`],
        [
          'alter role a password %',
          text => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}' valid until 'x'`,
        ],
        ['alter role a password %', text => `$q$${text}$q$ createdb`],
        [
          "select dblink('host=h %', 'select 1')",
          text => `password=''${text.replace(/['\\]/g, '\\$&').replaceAll("'", "''")}'' user=u`,
        ],
        [
          "do $$ begin execute 'create role a password %'; end $$",
          text => `''${text.replaceAll('$', '').replaceAll("'", "''''")}''`,
        ],
      ),
      fc.nat(200),
    )
    .map(([secret, [query, spell], end]) => {
      const [before = '', after = ''] = query.split('%')
      const whole = before + spell(secret) + after
      return [whole, whole.slice(0, before.length + end)] as const
    })
  fc.assert(
    fc.property(spelt, texts => {
      for (const text of texts) {
        const told = masked(text)
        if (LEAKS.some(part => told.includes(part))) throw new Error(`${text} is told as ${told}`)
      }
    }),
    { numRuns: 500 },
  )
})

t.test('what is no secret stays as it is', async t => {
  for (const query of [
    `select * from users where id = $1`,
    `select password from users where name = 'a'`,
    `update users set password = $1, token = $2 where id = $3`,
    `select 'a''b', e'c\\'d', $$e$$, "f""g" from h where i like '%j%' -- k`,
    `alter role a password null`,
    `select * from keys where key = 'a'`,
    `insert into links values ('https://example.org:8080/a?b=c')`,
    `select md5('a')`,
    ``,
  ])
    t.equal(masked(query), query)
  t.equal(
    masked(`alter role a password 'b' valid until '2030-01-01'; select 'c'`),
    `alter role a password '***' valid until '2030-01-01'; select 'c'`,
  )
  t.equal(
    masked(`select dblink('host=h password=b user=u', 'select 1')`),
    `select dblink('host=h password=*** user=u', 'select 1')`,
  )
})

t.test('any text is cut into pieces that make it again, and quickly', async t => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc
      .array(fc.constantFrom("'", '"', '$', '$a$', '\\', '/*', '*/', '--', '\n', 'e', 'password', ' ', '('))
      .map(parts => parts.join('')),
  )
  fc.assert(
    fc.property(text, sql => {
      let again = ''
      for (const token of tokensOf(sql)) again += token.text
      masked(sql)
      return again === sql
    }),
    { numRuns: 500 },
  )
  for (const piece of [
    `'`,
    `''`,
    `\\`,
    `\\'`,
    `"`,
    `$`,
    `$a`,
    `/*`,
    `(`,
    `password=`,
    `password ''`,
    `://a:`,
  ]) {
    const began = performance.now()
    masked(`password ${piece.repeat(4_096 / piece.length)}`)
    masked(`password '${piece.repeat(4_096 / piece.length)}`)
    t.ok(performance.now() - began < 500, `${piece}: ${performance.now() - began} ms`)
  }
})
