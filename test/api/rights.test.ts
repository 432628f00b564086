import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startLazaret } from '../support/lazaret.ts'
import { expectStatus } from '../support/transfer.ts'
import { critical, fixedImage, pushAndJudge } from '../support/held.ts'
import { askerOf, basicOf, type As } from './asking.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const server = await startLazaret(stack, { policy: 'observe', env: { LAZARET_PUBLIC: 'open/**' } })
const ask = askerOf(server.host, server.admin)

/** Everything else is for administrators: a route that nobody thought of here fails these tests until somebody does. */
const forMany = new Set([
  'GET /api/v1/verdict',
  'GET /api/v1/images',
  'GET /api/v1/findings',
  'GET /api/v1/sbom',
  'GET /api/v1/self',
  'GET /api/v1/advisories/status',
  'GET /api/v1/advisories/revisions',
  'GET /api/v1/advisories/key',
  'GET /api/v1/packages',
  'GET /api/v1/images/history',
  'GET /api/v1/tags/history',
  'POST /api/v1/tags/restore',
  'GET /api/v1/pulls',
  'GET /api/v1/repositories',
  'GET /api/v1/repositories/settings',
])
/** Also without an account, where something is public. */
const forAll = new Set([
  'GET /api/v1/packages',
  'GET /api/v1/verdict',
  'GET /api/v1/images',
  'GET /api/v1/findings',
  'GET /api/v1/sbom',
  'GET /api/v1/images/history',
  'GET /api/v1/tags/history',
  'GET /api/v1/repositories',
  'GET /api/v1/repositories/settings',
])

const document = await ask('GET', '/api/openapi.json')
const routes = Object.entries(document.json.paths as Record<string, object>).flatMap(([path, operations]) =>
  Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
)
const guarded = routes.filter((route) => !forMany.has(route))

/** Requests that an administrator's would be good. */
const bodies: Record<string, unknown> = {
  'POST /api/v1/users': { name: 'intruder', password: 'a-password-of-intruder', grants: ['admin'] },
  'PUT /api/v1/users/password': { name: 'admin', password: 'a-password-of-intruder' },
  'POST /api/v1/users/grants': { name: 'developer', grants: ['admin'] },
  'POST /api/v1/robots': { name: 'intruder', grants: ['admin'] },
  'POST /api/v1/robots/grants': { name: 'helper', grants: ['admin'] },
  'PUT /api/v1/repository-settings': { match: '**', visibility: 'public' },
}
const queries: Record<string, string> = {
  'DELETE /api/v1/users': '?name=second',
  'DELETE /api/v1/users/grants': '?name=second&grant=admin',
  'DELETE /api/v1/robots': '?name=helper',
  'DELETE /api/v1/robots/grants': '?name=helper&grant=pull%3Dshop/**',
  'DELETE /api/v1/repository-settings': '?match=**',
}

const second = await server.addUser('second', 'admin')
const helper = await server.addRobot('helper', 'pull=shop/**')
const nosy = await server.addUser('nosy', 'read-quarantined=**', 'pull=**', 'push=**', 'delete=**')
await pushAndJudge(server, 'shop/api', '1', await fixedImage(critical), 'allow')
await pushAndJudge(server, 'open/api', '1', await fixedImage(critical), 'allow')

async function everyRoute(as: As, statuses: number[]): Promise<void> {
  for (const route of guarded) {
    const [method = '', path = ''] = route.split(' ')
    const body = bodies[route]
    const reply = await ask(method, `${path}${queries[route] ?? ''}`, { as, ...(body === undefined ? {} : { body }) })
    assert.ok(statuses.includes(reply.status), `${route}: ${reply.status} ${reply.text}`)
    const broken = await ask(method, path, {
      as,
      ...(method === 'GET' || method === 'DELETE' ? {} : { raw: '{', type: 'application/json' }),
    })
    assert.ok(statuses.includes(broken.status), `${route}, before its body is looked at: ${broken.status}`)
    assert.ok(!/second|intruder|body/.test(broken.text), broken.text)
  }
}

async function tokenOf(who: typeof second, scope: string): Promise<string> {
  return `Bearer ${await server.protocol(who).token(scope)}`
}

test('there are routes, and each is either for many or for administrators', () => {
  assert.ok(routes.length >= 15, String(routes.length))
  for (const route of forMany) assert.ok(routes.includes(route), route)
  for (const route of [...Object.keys(bodies), ...Object.keys(queries)]) assert.ok(guarded.includes(route), route)
})

test('nobody: asked to sign in', () => everyRoute(null, [401]))

test('a wrong password or token: asked to sign in', async () => {
  await everyRoute(`Bearer lzr_${'A'.repeat(43)}`, [401])
  await everyRoute('Bearer x.y.z', [401])
  await everyRoute('Nonsense', [401])
})

test('a user with every grant but admin: refused on every one', () => everyRoute(nosy, [403]))
test('a developer: refused on every one', () => everyRoute(server.developer, [403]))
test('a robot, by name and by its token alone: refused on every one', async () => {
  await everyRoute(helper, [403])
  await everyRoute(`Bearer ${helper.password}`, [403])
})

test("an administrator's token of the Docker flow: refused on every one, whatever its scope", async () => {
  for (const scope of ['repository:shop/api:pull,push,delete', 'repository:shop/api:*', 'registry:catalog:*'])
    await everyRoute(await tokenOf(server.admin, scope), [403])
})

test('after all that nothing has changed', async () => {
  assert.equal((await ask('GET', '/self')).json.name, 'admin')
  const users = (await ask('GET', '/users')).json.items as { name: string; grants: string[] }[]
  assert.deepEqual(
    users.map((user) => [user.name, user.grants.includes('admin')]),
    [
      ['admin', true],
      ['developer', false],
      ['nosy', false],
      ['second', true],
    ],
  )
  const robots = (await ask('GET', '/robots')).json.items as { name: string; grants: string[] }[]
  assert.deepEqual(
    robots.map((robot) => [robot.name, robot.grants]),
    [['helper', ['pull=shop/**']]],
  )
  const actions = ((await ask('GET', '/audit-log?limit=1000')).json.items as { principal: string; action: string }[]).filter(
    (item) => item.principal !== 'user:admin' && item.principal !== 'system' && !['tag.push', 'sign-in'].includes(item.action),
  )
  assert.deepEqual(actions, [])
})

test('what is for many is theirs by their grants alone', async () => {
  const images = async (as: As) =>
    ((await ask('GET', '/images', { as })).json.items as { repository: string }[]).map((item) => item.repository)
  assert.deepEqual(await images(server.admin), ['open/api', 'shop/api'])
  assert.deepEqual(await images(server.developer), ['open/api', 'shop/api'])
  assert.deepEqual(await images(null), ['open/api'])
  assert.deepEqual(await images(`Bearer ${helper.password}`), ['open/api', 'shop/api'])
  for (const route of forMany) {
    const [method = '', path = ''] = route.split(' ')
    const { status } = await ask(method, path, { as: null })
    assert.equal(status === 401, !forAll.has(route), `${route} without an account: ${status}`)
  }
  for (const as of [server.developer, helper, nosy]) assert.equal((await ask('GET', '/advisories/status', { as })).status, 200)
})

test('a token of the Docker flow counts for pulls from what its scope names, and for nothing else', async () => {
  const repositories = async (scope: string) =>
    ((await ask('GET', '/images', { as: await tokenOf(server.admin, scope) })).json.items as { repository: string }[]).map(
      (item) => item.repository,
    )
  assert.deepEqual(await repositories('repository:shop/api:pull'), ['shop/api'])
  assert.deepEqual(await repositories('repository:shop/api:push'), [])
  assert.deepEqual(await repositories('repository:other:pull'), [])
  assert.deepEqual(await repositories('registry:catalog:*'), [])
  const pull = await tokenOf(server.admin, 'repository:shop/api:pull')
  assert.deepEqual((await ask('GET', '/self', { as: pull })).json, {
    kind: 'user',
    name: 'admin',
    grants: [{ action: 'pull', pattern: 'shop/api' }],
  })
  assert.equal((await ask('GET', '/verdict?image=shop/api:1', { as: pull })).status, 200)
  assert.equal((await ask('GET', '/verdict?image=open/api:1', { as: pull })).status, 404)
  assert.equal((await ask('GET', '/sbom?image=open/api:1', { as: pull })).status, 404)
})

test('a robot by its token alone may at /v2 what it may by name', async () => {
  const by = (authorization: string, path: string) =>
    fetch(`http://${server.host}${path}`, { headers: { authorization, accept: 'application/vnd.oci.image.manifest.v1+json' } })
  for (const authorization of [`Bearer ${helper.password}`, basicOf(helper)]) {
    assert.equal((await by(authorization, '/v2/shop/api/manifests/1')).status, 200)
    assert.equal((await by(authorization, '/v2/open/api/manifests/1')).status, 200)
    assert.equal((await by(authorization, '/v2/other/api/manifests/1')).status, 403)
  }
  expectStatus(await server.protocol(helper).manifest('shop/api', '1'), 200)
})

test('an administrator who is one no longer is refused at once', async () => {
  assert.equal((await ask('GET', '/jobs', { as: second })).status, 200)
  assert.equal((await ask('DELETE', '/users/grants?name=second&grant=admin')).status, 204)
  assert.equal((await ask('GET', '/jobs', { as: second })).status, 403)
})
