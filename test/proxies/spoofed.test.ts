// What X-Forwarded- headers do, by who sends them: the limit on sign-ins, the audit log, the log and the realm.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { lacking } from '../support/tools.ts'
import { heard } from './asking.ts'

const client = '203.0.113.77'
const all = {
  'x-forwarded-for': client,
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'registry.example',
  'x-real-ip': client,
  forwarded: `for=${client};proto=https;host=registry.example`,
}

describe('X-Forwarded- headers', { skip: lacking('setpriv') }, () => {
  const stack = new AsyncDisposableStack()
  /** Believes a proxy on this machine, and one elsewhere that is not this test. */
  let believing: Lazaret
  let deaf: Lazaret
  let bare: Lazaret

  before(async () => {
    const behind = { LAZARET_BEHIND_PROXY: 'true', LAZARET_LOG: 'debug' }
    believing = await startLazaret(stack, { policy: 'observe', env: behind })
    deaf = await startLazaret(stack, { policy: 'observe', env: { ...behind, LAZARET_TRUSTED_PROXIES: '10.0.7.4,fd00::/8' } })
    bare = await startLazaret(stack, { policy: 'observe', env: { LAZARET_LOG: 'debug' } })
  })
  after(() => stack.disposeAsync())

  test('from a listed address they are who asked, and under which name', async () => {
    assert.equal(await realmOf(believing, all), 'https://registry.example/token')
    assert.equal(await realmOf(believing, { 'x-forwarded-proto': 'https' }), `https://${believing.host}/token`)
    assert.equal(await realmOf(believing, { 'x-forwarded-host': 'registry.example' }), `http://${believing.host}/token`)
    assert.equal(await realmOf(believing, {}), `http://${believing.host}/token`)
    assert.equal(await addressOfChange(believing, 'listed', all), client)
    assert.equal(await addressOfChange(believing, 'ipv6', { 'x-forwarded-for': '192.0.2.1, [2001:db8::7]:4711' }), '2001:db8::7')
    assert.equal(await addressOfChange(believing, 'garbage', { 'x-forwarded-for': `${client}, "><script>` }), '127.0.0.1')
    assert.equal(
      await addressOfChange(believing, 'long', { 'x-forwarded-for': `${client},${'127.0.0.1,'.repeat(800)}127.0.0.1` }),
      '127.0.0.1',
    )
  })

  for (const [name, server] of [
    ['an address that is not listed', () => deaf],
    ['anybody, without behindProxy', () => bare],
  ] as const) {
    test(`from ${name} they change nothing`, async () => {
      assert.equal(await realmOf(server(), all), await realmOf(server(), {}))
      assert.equal(await addressOfChange(server(), 'unlisted', all), '127.0.0.1')
    })

    test(`from ${name} a new address with each guess is no way around the limit on sign-ins`, async () => {
      const statuses = await guess(server(), (turn) => ({ ...all, 'x-forwarded-for': `203.0.113.${turn}` }))
      assert.deepEqual([statuses.slice(0, 10).every((status) => status === 401), statuses.at(-1)], [true, 429])
    })
  }

  test('behind a listed proxy one client that guesses keeps no other one out', async () => {
    assert.equal((await guess(believing, () => ({ 'x-forwarded-for': client }))).at(-1), 429)
    const { username, password } = believing.developer
    const other = { headers: { 'x-forwarded-for': '203.0.113.78' }, username, password }
    assert.equal((await heard(`http://${believing.host}`, '/token?service=lazaret', other)).status, 200)
  })

  test('the log says once who is not believed', () => {
    const said = (server: Lazaret) => server.daemon.log().match(/is not in trustedProxies is not believed/g)?.length ?? 0
    assert.deepEqual([said(believing), said(deaf), said(bare)], [0, 1, 0])
    assert.match(deaf.daemon.log(), /"address":"127\.0\.0\.1".*is not in trustedProxies/)
  })
})

async function realmOf(server: Lazaret, headers: Record<string, string>): Promise<string | undefined> {
  const { status, headers: answered } = await heard(`http://${server.host}`, '/v2/', { headers })
  assert.equal(status, 401)
  return /^Bearer realm="([^"]*)"/.exec(answered['www-authenticate'] ?? '')?.[1]
}

/** Out: where a change came from, as the audit log has it, which has it with the change. */
async function addressOfChange(server: Lazaret, name: string, headers: Record<string, string>): Promise<string | undefined> {
  const body = [JSON.stringify({ name, grants: ['pull=shop/**'] })]
  const { username, password } = server.admin
  const asking = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body, username, password }
  const made = await heard(`http://${server.host}`, '/api/v1/robots', asking)
  assert.equal(made.status, 201, made.body)
  const { items } = JSON.parse((await server.api('/audit-log?limit=100')).body.toString('utf8')) as {
    items: { action: string; subject: string; address: string }[]
  }
  return items.find(({ action, subject }) => action.startsWith('robot.') && subject.includes(name))?.address
}

async function guess(server: Lazaret, headersOf: (turn: number) => Record<string, string>): Promise<number[]> {
  const statuses: number[] = []
  for (let turn = 0; turn < 11; turn++) {
    const asking = { headers: headersOf(turn), username: 'guessed', password: `wrong-${turn}` }
    statuses.push((await heard(`http://${server.host}`, '/token?service=lazaret', asking)).status)
  }
  return statuses
}
