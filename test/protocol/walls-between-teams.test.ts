// As somebody of one team, every route is walked: no answer names what is another team's, and none differs from the answer
// about what does not exist.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Answer } from '../support/protocol.ts'
import { imageOf } from '../support/images.ts'
import { npmApplication } from '../support/worlds.ts'
import { type Asker, askerByHeader } from './support/asker.ts'
import { cleanImage, heldImage, partsOf } from './support/images.ts'
import { expectOk } from './support/shapes.ts'
import { storedIn } from './support/stored.ts'
import { openWorld, type World } from './support/world.ts'
import { type Names, ociRequests, ociRoutesOf, otherRequests, routesOf, type Sent } from './walls/routes.ts'

describe('walls between teams', () => {
  const stack = new AsyncDisposableStack()
  let world: World
  let askers: [string, Asker][]
  let planted: Names
  const absent: Names = {
    repository: 'gamma/never-was-there',
    tag: 'never-was-a-tag',
    manifest: `sha256:${'0'.repeat(64)}`,
    blob: `sha256:${'1'.repeat(64)}`,
    user: 'never-was-a-user',
    robot: 'never-was-a-robot',
    upload: '00000000-0000-4000-8000-000000000000',
    packageName: 'never-was-a-package',
  }

  before(async () => {
    world = await openWorld(stack)
    const beta = await world.addUser('beta-planted-user', 'pull=beta/**', 'push=beta/**', 'delete=beta/**')
    await world.addRobot('beta-planted-robot', 'pull=beta/**')
    const image = await imageOf([npmApplication({ 'beta-planted-package': '1.0.0', 'flawed-parser': '1.0.0' })])
    expectOk(await beta.push('beta/planted-repository', image, 'planted-tag'), 201)
    assert.equal(await world.decision('beta/planted-repository:planted-tag'), 'deny')
    expectOk(await beta.get(`/v2/beta/planted-repository/tags/list`))
    const upload =
      expectOk(await beta.ask('/v2/beta/planted-repository/blobs/uploads/', { method: 'POST' }), 202).headers.get('docker-upload-uuid') ??
      ''
    const user = await world.addUser('alpha-user', 'pull=alpha/**', 'push=alpha/**', 'delete=alpha/**', 'read-quarantined=alpha/**')
    for (const [name, content] of [
      ['alpha/own', await cleanImage('alpha')],
      ['alpha/held', await heldImage('alpha')],
    ] as const) {
      expectOk(await user.push(name, content, '1'), 201)
      await world.decision(`${name}:1`)
    }
    planted = {
      repository: 'beta/planted-repository',
      tag: 'planted-tag',
      manifest: image.root.digest,
      blob: partsOf(image).layers[0] ?? '',
      user: 'beta-planted-user',
      robot: 'beta-planted-robot',
      upload,
      packageName: 'beta-planted-package',
    }
    const robot = await world.addRobot('alpha-robot', 'pull=alpha/**', 'push=alpha/**', 'delete=alpha/**')
    askers = [
      ['a user by Basic', user],
      ['a user by a token for the own repository', await user.by('repository:alpha/own:pull,push,delete')],
      [
        'a user by a token asked for both',
        await user.by('repository:alpha/own:pull,push,delete repository:beta/planted-repository:pull,push,delete registry:catalog:*'),
      ],
      ['a robot by Basic', robot],
      ['a robot by its token alone', askerByHeader(world.port, `Bearer ${robot.credentials?.password ?? ''}`)],
      ['nobody', world.anonymous],
    ]
  })
  after(() => stack.disposeAsync())

  test('every route of the running server has requests here', async () => {
    const routes = await routesOf(world)
    assert.ok(routes.length >= 25, String(routes.length))
    assert.deepEqual(routes.toSorted(), Object.keys(otherRequests).toSorted())
    const oci = await ociRoutesOf(world)
    const methods = Object.fromEntries(
      Object.entries(ociRequests).map(([resource, requests]) => [resource, Object.keys(requests).toSorted()]),
    )
    assert.deepEqual(Object.fromEntries(Object.entries(oci).map(([resource, allowed]) => [resource, allowed.toSorted()])), methods)
  })

  test('no answer to one team tells of another, by word or by difference', async () => {
    const before = await storedIn(world)
    let walked = 0
    for (const [name, asker] of askers) {
      for (const [about, nothing] of pairs(planted, absent)) {
        const place = `${name}: ${about.method} ${about.path}`
        const told = await ask(asker, about)
        assert.deepEqual(leaksIn(told, about, planted), [], place)
        assert.deepEqual(plain(told, planted), plain(await ask(asker, nothing), absent), place)
        walked++
      }
    }
    assert.ok(walked > 300, String(walked))
    const after = await storedIn(world)
    for (const table of ['blobs', 'tags', 'blob_links'] as const)
      assert.ok((after.rows[table] ?? 0) >= (before.rows[table] ?? 0) - 1, table)
  })

  test('the search finds what is told: the same walk as one of the other team', async () => {
    const insider = await world.addRobot('insider', 'pull=beta/**')
    const found = new Set<string>()
    for (const [about] of pairs(planted, absent).filter(([{ method }]) => method === 'GET')) {
      for (const name of leaksIn(await ask(insider, about), about, planted)) found.add(`${about.path.split('?')[0]} ${name}`)
    }
    for (const route of ['/v2/_catalog', '/api/v1/images', '/api/v1/findings'])
      assert.ok(found.has(`${route} ${planted.repository}`), [...found].join('\n'))
    assert.ok(
      found.has(`/api/v1/images ${planted.tag}`) &&
        found.has(`/api/v1/images ${planted.manifest}`) &&
        found.has(`/api/v1/sbom ${planted.packageName}`),
    )
  })

  test('what is of the other team stands as before', async () => {
    const beta = await world.addRobot('beta-reader', 'read-quarantined=beta/**')
    expectOk(await beta.get(`/v2/${planted.repository}/manifests/${planted.tag}`))
    expectOk(await beta.get(`/v2/${planted.repository}/blobs/${planted.blob}`))
    assert.ok(
      (await world.house.accounts.find(planted.user)) !== undefined && (await world.house.accounts.find(planted.robot)) !== undefined,
    )
    const upload = await world.house.records.read.selectFrom('uploads').select('id').where('id', '=', planted.upload).executeTakeFirst()
    assert.equal(upload?.id, planted.upload)
    assert.equal(await world.house.findRepository(absent.repository), undefined)
  })
})

function pairs(names: Names, others: Names): [Sent, Sent][] {
  const all = [...Object.values(ociRequests).flatMap((requests) => Object.values(requests)), ...Object.values(otherRequests)]
  return all.flatMap((requests) => {
    const about = requests(others)
    return requests(names).map((sent, at): [Sent, Sent] => [sent, about[at] ?? sent])
  })
}

function ask(asker: Asker, { method, path, body, headers }: Sent): Promise<Answer> {
  return asker.ask(path, { method, ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }) })
}

/** Planted names in an answer that were not in its request. */
function leaksIn(answer: Answer, sent: Sent, names: Names): string[] {
  const asked = decodeURIComponent(`${sent.path} ${sent.body ?? ''}`.replaceAll('+', ' '))
  const told = `${answer.reason} ${JSON.stringify([...answer.headers])} ${answer.body.toString('utf8')}`
  return Object.values(names).filter((name: string) => told.includes(name) && !asked.includes(name))
}

/** An answer without what differs between any two: the names that were asked for, and what is new each time. */
function plain(answer: Answer, names: Names): object {
  const without = (text: string) =>
    Object.entries(names)
      .reduce(
        (rest, [key, name]: [string, string]) =>
          rest.replaceAll(name, `<${key}>`).replaceAll(encodeURIComponent(name), `<${key}>`).replaceAll(name.slice(0, 19), `<${key}>`),
        text,
      )
      .replaceAll(/sha256:[0-9a-f]{12,64}/g, '<digest>')
      .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<id>')
      .replaceAll(/"(token|access_token)":"[^"]+"/g, '"<token>"')
      .replaceAll(/"(issued_at|uptime)":"?[^",]+"?/g, '"<time>"')
  const headers = [...answer.headers]
    .filter(([name]) => !['date', 'content-length', 'keep-alive', 'x-request-id'].includes(name))
    .map(([name, value]) => `${name}: ${without(value)}`)
  return { status: answer.status, reason: without(answer.reason), headers, body: without(answer.body.toString('utf8')) }
}
