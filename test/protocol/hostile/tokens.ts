// Tokens and credentials that are another's, of another place, or of another time.

import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Answer } from '../../support/protocol.ts'
import { type Asker, askerByHeader } from '../support/asker.ts'
import { cleanImage } from '../support/images.ts'
import { expectError, expectErrorShape, expectOk, jsonOf } from '../support/shapes.ts'
import { actor, type OpenWorld, type World } from '../support/world.ts'

export function tokenSuite(open: OpenWorld): void {
  describe('tokens', () => {
    let world: World
    let pusher: Asker

    before(async () => {
      world = await open()
      pusher = await world.addRobot('pusher', 'pull=shop/**', 'push=shop/**', 'delete=shop/**')
      for (const name of ['shop/api', 'shop/web']) await world.push(name, await cleanImage(name), '1')
    })
    after(() => world[Symbol.asyncDispose]())

    test('a token of another repository is none here, and the challenge names the one that would do', async () => {
      const other = await pusher.by('repository:shop/web:pull,push,delete')
      for (const [method, path, scope] of [
        ['GET', 'manifests/1', 'repository:shop/api:pull'],
        ['GET', 'tags/list', 'repository:shop/api:pull'],
        ['PUT', 'manifests/2', 'repository:shop/api:pull,push'],
        ['DELETE', 'manifests/1', 'repository:shop/api:delete'],
        ['POST', 'blobs/uploads/', 'repository:shop/api:pull,push'],
      ] as const) {
        const answer = await other.ask(`/v2/shop/api/${path}`, { method, ...(method === 'PUT' ? { body: '{}' } : {}) })
        expectError(answer, 401, 'UNAUTHORIZED')
        assert.ok(
          answer.headers.get('www-authenticate')?.endsWith(`,service="lazaret",scope="${scope}"`),
          answer.headers.get('www-authenticate') ?? '',
        )
      }
      expectOk(await other.get('/v2/shop/web/manifests/1'))
    })

    test('a token to pull neither pushes nor deletes, and holds no more than was granted', async () => {
      const reader = await pusher.by('repository:shop/api:pull')
      expectError(await reader.ask('/v2/shop/api/blobs/uploads/', { method: 'POST' }), 401, 'UNAUTHORIZED')
      expectError(await reader.ask('/v2/shop/api/manifests/1', { method: 'DELETE' }), 401, 'UNAUTHORIZED')
      const narrow = await world.addRobot('narrow', 'pull=shop/api')
      const greedy = await narrow.by('repository:shop/api:*')
      expectOk(await greedy.get('/v2/shop/api/manifests/1'))
      expectError(await greedy.ask('/v2/shop/api/blobs/uploads/', { method: 'POST' }), 403, 'DENIED')
      expectError(await (await narrow.by('repository:shop/web:pull')).get('/v2/shop/web/manifests/1'), 403, 'DENIED')
    })

    test('a token ends with its account, and with the rights that were taken', async () => {
      for (const way of ['removed', 'removed and made anew', 'password changed']) {
        const user = await world.addUser('leaver', 'pull=shop/**')
        const bearer = await user.by('repository:shop/api:pull')
        expectOk(await bearer.get('/v2/shop/api/manifests/1'))
        if (way === 'password changed') await world.house.accounts.setPassword(actor, 'leaver', 'quite-another-password')
        else await world.house.accounts.remove(actor, { kind: 'user', name: 'leaver' })
        if (way === 'removed and made anew') await world.addUser('leaver', 'pull=shop/**')
        const problem = expectError(await bearer.get('/v2/shop/api/manifests/1'), 401, 'UNAUTHORIZED')
        assert.match(problem.message, /its account is gone or was changed/, way)
        if (way !== 'removed and made anew') expectError(await user.get('/v2/shop/api/manifests/1'), 401, 'UNAUTHORIZED')
        if (way !== 'removed') await world.house.accounts.remove(actor, { kind: 'user', name: 'leaver' })
      }
      const robot = await world.addRobot('losing', 'pull=shop/**')
      const bearer = await robot.by('repository:shop/api:pull')
      await world.house.accounts.revoke(actor, { kind: 'robot', name: 'losing' }, [{ action: 'pull', pattern: 'shop/**' }])
      expectError(await bearer.get('/v2/shop/api/manifests/1'), 403, 'DENIED')
    })

    test('a token that signs itself: alg none, its own key, HMAC by our public key, another typ, another audience', async () => {
      const [head = '', payload = '', signature = ''] = (await pusher.token('repository:shop/api:pull')).split('.')
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<string, unknown>
      const header = JSON.parse(Buffer.from(head, 'base64url').toString('utf8')) as Record<string, unknown>
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const own = generateKeyPairSync('ed25519')
      const signed = (head: object, body: object) =>
        `${part(head)}.${part(body)}.${sign(null, Buffer.from(`${part(head)}.${part(body)}`), own.privateKey).toString('base64url')}`
      const hmac = (head: object, body: object) =>
        `${part(head)}.${part(body)}.${createHmac('sha256', JSON.stringify(own.publicKey.export({ format: 'jwk' })))
          .update(`${part(head)}.${part(body)}`)
          .digest('base64url')}`
      const admin = {
        ...claims,
        sub: 'user:admin',
        access: [{ type: 'repository', name: 'shop/api', actions: ['pull', 'push', 'delete'] }],
      }
      const forged = [
        `${part({ ...header, alg: 'none' })}.${part(admin)}.`,
        `${part({ alg: 'none', typ: 'JWT' })}.${part(admin)}.${signature}`,
        `${head}.${part(admin)}.${signature}`,
        signed({ ...header, jwk: own.publicKey.export({ format: 'jwk' }) }, admin),
        signed({ ...header, x5c: ['MIIB'], jku: `http://${world.host}/keys`, kid: header['kid'] }, admin),
        signed({ ...header, kid: '../../../../dev/null' }, admin),
        hmac({ ...header, alg: 'HS256' }, admin),
        `${head}.${payload}.${signature.slice(0, -4)}AAAA`,
        `${head}.${payload}`,
        `${head}..${signature}`,
        'x.y.z',
        '',
        'a'.repeat(12_000),
      ]
      for (const token of forged) {
        const answer = await askerByHeader(world.port, `Bearer ${token}`).get('/v2/shop/api/manifests/1')
        expectError(answer, 401, 'UNAUTHORIZED')
        assert.ok(!answer.body.toString('utf8').includes('user:admin'))
      }
    })

    test('authorization headers of every wrong form are refused, and never taken for nobody', async () => {
      for (const header of [
        'Basic',
        'Basic ',
        'Basic !!!',
        'Basic YQ==',
        `Basic ${Buffer.from('a:b:c').toString('base64')}`,
        `Basic ${Buffer.from('\0:\0').toString('base64')}`,
        'Bearer',
        'Digest username="a"',
        'Negotiate abc',
        ' ',
        'Basic YTpi, Bearer x',
        `Basic ${'A'.repeat(10_000)}`,
      ]) {
        expectErrorShape(await askerByHeader(world.port, header).get('/v2/shop/api/manifests/1'))
        expectError(await askerByHeader(world.port, header).get('/v2/'), 401, 'UNAUTHORIZED')
      }
    })

    test('guesses are slowed by name, and the right password of others still works', async () => {
      const victim = await world.addUser('victim', 'pull=shop/**')
      const guess = (at: number) =>
        askerByHeader(world.port, `Basic ${Buffer.from(`victim:guess-${at}`).toString('base64')}`).get('/v2/shop/api/manifests/1')
      const answers = []
      for (let at = 0; at < 12; at++) answers.push(await guess(at))
      assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [401, 429])
      expectError(answers.at(-1) ?? (await guess(99)), 429, 'TOOMANYREQUESTS')
      assert.ok(Number(answers.at(-1)?.headers.get('retry-after')) > 0)
      expectOk(await pusher.get('/v2/shop/api/manifests/1'))
      assert.equal(victim.credentials?.username, 'victim')
    })

    test('the token endpoint refuses what is malformed, and gives nobody more than the public', async () => {
      for (const query of [
        'service=evil',
        'scope=x',
        'scope=repository:../x:pull',
        `scope=${'repository:a:pull '.repeat(100)}`,
        'scope=repository:A:pull',
      ]) {
        expectTokenError(await pusher.get(`/token?${query.replaceAll(' ', '%20')}`))
      }
      const nobody = jsonOf<{ token: string; scope: string }>(
        expectOk(await world.anonymous.get('/token?service=lazaret&scope=repository:shop/api:pull')),
      )
      assert.equal(nobody.scope, '')
      expectError(await askerByHeader(world.port, `Bearer ${nobody.token}`).get('/v2/shop/api/manifests/1'), 401, 'UNAUTHORIZED')
      expectTokenError(await askerByHeader(world.port, `Bearer ${await pusher.token()}`).get('/token'))
    })
  })
}

/** The form is OCI's here too, but for the charset that goes with the media type. */
function expectTokenError(answer: Answer): void {
  const { headers, body, ...rest } = answer
  expectErrorShape({
    ...rest,
    body,
    headers: new Headers({
      'content-type': headers.get('content-type')?.split(';', 1)[0] ?? '',
      'content-length': headers.get('content-length') ?? '',
    }),
  })
}
