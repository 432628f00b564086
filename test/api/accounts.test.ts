import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { startLazaret } from '../support/lazaret.ts'
import { askerOf, basicOf, type Reply } from './asking.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const server = await startLazaret(stack, { policy: 'observe', env: { LAZARET_LOG: 'trace' } })
const ask = askerOf(server.host, server.admin)

/** What must never be printed. */
const secrets = new Set([server.admin.password, server.developer.password])
const secret = (text: string): string => {
  secrets.add(text)
  return text
}

async function addUser(name: string, ...grants: string[]) {
  const password = secret(`the-password-of-${name}`)
  assertStatus(await ask('POST', '/users', { body: { name, password, grants } }), 204)
  return { username: name, password }
}

async function addRobot(name: string, expires: string | undefined, ...grants: string[]): Promise<{ token: string; expiresAt?: string }> {
  const reply = assertStatus(await ask('POST', '/robots', { body: { name, grants, ...(expires === undefined ? {} : { expires }) } }), 201)
  assert.equal(reply.headers.get('cache-control'), 'no-store')
  secret(reply.json.token)
  return reply.json
}

function assertStatus(reply: Reply, status: number): Reply {
  assert.equal(reply.status, status, reply.text)
  return reply
}

function assertProblem(reply: Reply, status: number, code: string, detail?: RegExp): void {
  assertStatus(reply, status)
  assert.match(reply.headers.get('content-type') ?? '', /^application\/problem\+json/)
  assert.deepEqual([reply.json.status, reply.json.code, reply.json.title], [status, code, code])
  if (detail !== undefined) assert.match(reply.json.detail, detail)
}

test('a user: added, listed, given and refused grants, another password, removed', async () => {
  const ada = await addUser('ada', 'pull=shop/**')
  const row = async () => (await ask('GET', '/users?limit=1000')).json.items.find((item: { name: string }) => item.name === 'ada')
  assert.deepEqual((await row()).grants, ['pull=shop/**'])
  assertStatus(await ask('POST', '/users/grants', { body: { name: 'ada', grants: ['push=shop/api', 'pull=shop/**'] } }), 204)
  assert.deepEqual((await row()).grants, ['pull=shop/**', 'push=shop/api'])
  assertProblem(await ask('DELETE', '/users/grants?name=ada&grant=push%3Dshop/api&grant=admin'), 404, 'NOT_FOUND', /has no grant admin/)
  assert.deepEqual((await row()).grants, ['pull=shop/**', 'push=shop/api'], 'all of them or none')
  assertStatus(await ask('DELETE', '/users/grants?name=ada&grant=push%3Dshop/api&grant=pull%3Dshop/**'), 204)
  assert.deepEqual((await row()).grants, [])
  assert.deepEqual(Object.keys(await row()).toSorted(), ['createdAt', 'grants', 'name'], 'nothing of the password')
  assertStatus(await ask('GET', '/self', { as: ada }), 200)
  assertStatus(await ask('PUT', '/users/password', { body: { name: 'ada', password: secret('another-password-of-ada') } }), 204)
  assertProblem(await ask('GET', '/self', { as: ada }), 401, 'UNAUTHORIZED')
  const again = { username: 'ada', password: 'another-password-of-ada' }
  assert.deepEqual((await ask('GET', '/self', { as: again })).json, { kind: 'user', name: 'ada', grants: [] })
  assertStatus(await ask('DELETE', '/users?name=ada'), 204)
  assertProblem(await ask('GET', '/self', { as: again }), 401, 'UNAUTHORIZED')
  assertProblem(await ask('DELETE', '/users?name=ada'), 404, 'NOT_FOUND')
})

test('a robot: its token is shown once, opens by name and alone, and ends with it', async () => {
  const { token, expiresAt } = await addRobot('ci', '90d', 'pull=shop/**')
  assert.match(token, /^lzr_[\w-]{43}$/)
  const days = (Date.parse(expiresAt ?? '') - Date.now()) / 86_400_000
  assert.ok(days > 89.9 && days <= 90, String(days))
  const self = { kind: 'robot', name: 'ci', grants: [{ action: 'pull', pattern: 'shop/**' }] }
  for (const as of [{ username: 'ci', password: token }, `Bearer ${token}`])
    assert.deepEqual((await ask('GET', '/self', { as })).json, self)
  const listed = assertStatus(await ask('GET', '/robots'), 200)
  assert.ok(!listed.text.includes(token))
  assert.deepEqual(listed.json.items.find((item: { name: string }) => item.name === 'ci').expiresAt, expiresAt)
  assertProblem(await ask('POST', '/robots', { body: { name: 'ci' } }), 409, 'CONFLICT', /already a robot ci/)
  assertProblem(
    await ask('POST', '/users', { body: { name: 'ci', password: secret('a-password-of-ci') } }),
    409,
    'CONFLICT',
    /already a robot ci/,
  )
  assertStatus(await ask('POST', '/robots/grants', { body: { name: 'ci', grants: ['push=shop/api'] } }), 204)
  assertStatus(await ask('DELETE', '/robots/grants?name=ci&grant=push%3Dshop/api'), 204)
  assertProblem(await ask('POST', '/users/grants', { body: { name: 'ci', grants: ['admin'] } }), 404, 'NOT_FOUND', /no user "ci"/)
  assertStatus(await ask('DELETE', '/robots?name=ci'), 204)
  for (const as of [{ username: 'ci', password: token }, `Bearer ${token}`])
    assertProblem(await ask('GET', '/self', { as }), 401, 'UNAUTHORIZED')
})

test('a robot that has expired opens nothing, here and for clients', async () => {
  const at = new Date(Date.now() + 1500).toISOString()
  const { token } = await addRobot('brief', at, 'pull=shop/**')
  assertStatus(await ask('GET', '/self', { as: `Bearer ${token}` }), 200)
  await sleep(1600)
  for (const as of [{ username: 'brief', password: token }, `Bearer ${token}`]) {
    assertProblem(await ask('GET', '/self', { as }), 401, 'UNAUTHORIZED', /token of the robot brief has expired/)
    const answer = await fetch(`http://${server.host}/v2/`, { headers: { authorization: typeof as === 'string' ? as : basicOf(as) } })
    assert.equal(answer.status, 401)
  }
  for (const expires of ['0d', '1y', '-1d', 'tomorrow', '2020-01-01T00:00:00Z', '9999d', '2027-01-01T00:00:00', '']) {
    assertProblem(await ask('POST', '/robots', { body: { name: 'never', expires } }), 400, 'INPUT_INVALID')
  }
})

test('lists are paged by key', async () => {
  for (const name of ['page-1', 'page-2', 'page-3']) await addRobot(name, undefined)
  const seen: string[] = []
  let after = 'page-'
  for (let pages = 0; pages < 5; pages++) {
    const { items, next } = (await ask('GET', `/robots?limit=1&after=${after}`)).json
    seen.push(...items.map((item: { name: string }) => item.name))
    if (next === undefined) break
    after = next
  }
  assert.deepEqual(seen.slice(0, 3), ['page-1', 'page-2', 'page-3'])
  for (const query of ['limit=0', 'limit=-1', 'limit=1001', 'limit=1e9', 'limit=x', `after=${'x'.repeat(700)}`])
    assertProblem(await ask('GET', `/users?${query}`), 400, 'INPUT_INVALID')
})

test('the last administrator stays, by whatever way', async () => {
  assertProblem(await ask('DELETE', '/users?name=admin'), 409, 'CONFLICT', /no administrator/)
  assertProblem(await ask('DELETE', '/users/grants?name=admin&grant=admin'), 409, 'CONFLICT', /no administrator/)
  const { token } = await addRobot('root-robot', undefined, 'admin')
  assertProblem(await ask('DELETE', '/users?name=admin', { as: `Bearer ${token}` }), 409, 'CONFLICT', /no administrator/)
  const second = await addUser('second', 'admin')
  const both = await Promise.all([
    ask('DELETE', '/users/grants?name=second&grant=admin'),
    ask('DELETE', '/users/grants?name=admin&grant=admin', { as: second }),
  ])
  const outcomes = both.map((reply) => reply.status).toSorted()
  assert.ok(outcomes[0] === 204 && (outcomes[1] === 409 || outcomes[1] === 403), `two at once leave one: ${outcomes}`)
  const left = both[0].status === 204 ? server.admin : second
  assertStatus(await ask('POST', '/users/grants', { as: left, body: { name: 'admin', grants: ['admin'] } }), 204)
  assertStatus(await ask('DELETE', '/users?name=second'), 204)
  assertStatus(await ask('DELETE', '/robots?name=root-robot'), 204)
})

test('what the schema does not name is refused, not dropped', async () => {
  const password = secret('the-password-of-mallory')
  const bodies = [
    { name: 'mallory', password, admin: true },
    { name: 'mallory', password, kind: 'robot' },
    { name: 'mallory', password, grants: [], createdAt: 0 },
    { name: 'mallory', password, token_hash: 'x' },
    { name: 'mallory', password, grant: ['admin'] },
    { name: 'mallory', password, grants: 'admin' },
    { name: 'mallory', password, grants: [['admin']] },
    { name: 'mallory', password, grants: [{ action: 'admin', pattern: '' }] },
    { name: 'mallory', password, grants: { 0: 'admin' } },
    { name: 'mallory', password: 1_234_567_890 },
    { name: 'mallory', password: [password] },
    { name: 'mallory', password: null },
    { name: ['mallory'], password },
    { name: 'mallory' },
    { password },
    {},
    [],
    null,
    'mallory',
    1,
  ]
  for (const body of bodies) assertProblem(await ask('POST', '/users', { body }), 400, 'INPUT_INVALID', /^body/)
  for (const raw of [
    '{"name":"mallory","__proto__":{"admin":true}}',
    '{"name":"mallory","constructor":{"prototype":{}}}',
    '{',
    '{"name":"mal\\u0000lory"}',
    ' ',
  ]) {
    assert.equal((await ask('POST', '/users', { raw })).status, 400, raw)
  }
  assertProblem(
    await ask('POST', '/users', { raw: `name=mallory&password=${password}`, type: 'application/x-www-form-urlencoded' }),
    415,
    'INPUT_INVALID',
  )
  assertProblem(
    await ask('POST', '/users', { raw: JSON.stringify({ name: 'mallory', password }), type: 'text/plain' }),
    400,
    'INPUT_INVALID',
  )
  assertProblem(await ask('POST', '/users', { body: { name: 'mallory', password: 'x'.repeat(2_000_000) } }), 413, 'INPUT_INVALID')
  assertProblem(
    await ask('POST', '/robots', { body: { name: 'mallory', token: 'lzr_mine' } }),
    400,
    'INPUT_INVALID',
    /must not have additional properties: token/,
  )
  assertProblem(await ask('PUT', '/users/password', { body: { name: 'developer', password, grants: ['admin'] } }), 400, 'INPUT_INVALID')
  assertProblem(await ask('DELETE', '/users?name=developer&name=admin'), 400, 'INPUT_INVALID')
  assertProblem(await ask('DELETE', '/users?name=mallory&force=true'), 400, 'INPUT_INVALID', /no parameter force/)
  assertProblem(await ask('GET', '/users?lmit=1'), 400, 'INPUT_INVALID', /no parameter lmit/)
  const names = (await ask('GET', '/users?limit=1000')).json.items.map((item: { name: string }) => item.name)
  assert.ok(!names.includes('mallory') && names.includes('developer'))
})

test('names with slashes, and other names that are none', async () => {
  const names = [
    'a/b',
    '../admin',
    'a%2fb',
    '/',
    '.',
    '..',
    '-a',
    'A',
    'ä',
    'a b',
    'a\nb',
    'a\u0000',
    'anonymous',
    'system',
    'x'.repeat(64),
    '',
    'grants/x',
    '<b>',
    'admin ',
  ]
  for (const name of names) {
    assertProblem(await ask('POST', '/users', { body: { name, password: secret('a-password-for-nobody') } }), 400, 'INPUT_INVALID')
    assertProblem(await ask('POST', '/robots', { body: { name } }), 400, 'INPUT_INVALID')
    assert.ok([400, 404].includes((await ask('DELETE', `/users?name=${encodeURIComponent(name)}`)).status), name)
  }
  for (const name of ['grants', 'password', 'constructor', '0', 'a.b_c-d']) {
    await addUser(name)
    assertStatus(await ask('DELETE', `/users?name=${name}`), 204)
  }
})

test('grants that can not be are refused with the reason', async () => {
  const cases: [string, RegExp][] = [
    ['pull', /a pattern is missing/],
    ['admin=shop/**', /admin covers everything/],
    ['own=shop/**', /the action is one of/],
    ['pull=', /the pattern is not one/],
    ['pull=/x', /not a grant/],
    ['pull=shop/***', /not a grant/],
    ['pull=**/**/**', /at most 2 times/],
    ['PULL=shop/**', /the action is one of/],
    ['pull=SHOP', /not a grant/],
    [' admin', /the action is one of/],
    ['admin\n', /the action is one of/],
  ]
  for (const [grant, why] of cases) {
    assertProblem(
      await ask('POST', '/users', { body: { name: 'greedy', password: secret('the-password-of-greedy'), grants: [grant] } }),
      400,
      'INPUT_INVALID',
      why,
    )
    assertProblem(await ask('POST', '/users/grants', { body: { name: 'developer', grants: ['pull=x', grant] } }), 400, 'INPUT_INVALID', why)
  }
  assertProblem(await ask('POST', '/users/grants', { body: { name: 'developer', grants: [] } }), 400, 'INPUT_INVALID')
  assertProblem(
    await ask('POST', '/users/grants', { body: { name: 'developer', grants: Array.from({ length: 257 }, (_, at) => `pull=x${at}`) } }),
    400,
    'INPUT_INVALID',
  )
  const most = Array.from({ length: 250 }, (_, at) => `pull=x${at}`)
  assertProblem(
    await ask('POST', '/users/grants', {
      body: { name: 'developer', grants: [...most, ...Array.from({ length: 6 }, (_, at) => `push=x${at}`)] },
    }),
    413,
    'LIMIT_EXCEEDED',
  )
  const { items } = (await ask('GET', '/users?limit=1000')).json
  assert.deepEqual(items.find((item: { name: string }) => item.name === 'developer').grants, [
    'delete=shop/**',
    'pull=shop/**',
    'push=shop/**',
  ])
  assert.ok(!items.some((item: { name: string }) => item.name === 'greedy'))
})

test('no body makes the server fail', async () => {
  const before = (await ask('GET', '/users?limit=1000')).json.items.length
  const field = fc.constantFrom('name', 'password', 'grants', 'expires', 'token', '__proto__')
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('/users', '/robots', '/users/grants', '/robots/grants'),
      fc.oneof(
        fc.json({ maxDepth: 3 }),
        fc.dictionary(field, fc.jsonValue({ maxDepth: 2 })).map((one) => JSON.stringify(one)),
      ),
      async (path, raw) => {
        const { status } = await ask('POST', path, { raw })
        return [400, 404].includes(status)
      },
    ),
    { numRuns: 60 },
  )
  assert.equal((await ask('GET', '/users?limit=1000')).json.items.length, before)
})

test('every change is in the audit log, under who made it, without a secret', async () => {
  const { items } = (await ask('GET', '/audit-log?limit=1000')).json
  const lines = items.map(
    (item: { principal: string; action: string; subject: string }) => `${item.principal} ${item.action} ${item.subject}`,
  )
  for (const line of [
    'user:admin user.add user:ada',
    'user:admin user.set-password user:ada',
    'user:admin user.remove user:ada',
    'user:admin robot.add robot:ci',
    'user:admin robot.grant robot:ci',
    'user:admin robot.revoke robot:ci',
  ])
    assert.ok(lines.includes(line), line)
  assert.ok(items.every((item: { address: string; principal: string }) => item.address === '127.0.0.1' || item.principal === 'system'))
  for (const one of secrets) assert.ok(!JSON.stringify(items).includes(one))
})

test('no secret is in the log of the server, however much it says, nor in its folder in clear', async () => {
  assert.equal((await fetch(`http://${server.host}/token?account=admin&password=${server.admin.password}`)).status, 200)
  await ask('POST', '/users', { raw: `{"name":"x","password":"${secret('a-broken-password')}"` })
  await ask('GET', '/self', { as: { username: 'admin', password: secret('a-wrong-password') } })
  await ask('GET', `/self?password=${secret('a-password-in-a-url')}`)
  const log = server.daemon.log()
  assert.ok(log.length > 0)
  for (const one of secrets) {
    assert.ok(!log.includes(one), 'in the log')
    assert.ok(!log.includes(Buffer.from(`admin:${one}`).toString('base64')), 'in the log, encoded')
  }
  const records = ['records.sqlite', 'records.sqlite-wal'].map((name) => readFileSync(join(server.folder, 'data', name), 'latin1')).join('')
  for (const one of secrets) assert.ok(!records.includes(one), 'in the records')
})
