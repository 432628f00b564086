import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decodeJwt, SignJWT } from 'jose'
import { granted, isAdmin, may, mayList, principalId } from '../../model/access.ts'
import { createAccounts } from '../accounts.ts'
import { parseGrants } from '../grants.ts'
import { createPasswords } from '../passwords.ts'
import { createSignIn } from '../signin.ts'
import type { OpenRecords } from '../../store/suites/records.ts'
import { actor, addRobot, address, addUser, basic, bearer, openWorld, passwordOf, service, type World } from './world.ts'

const bob = { kind: 'user', name: 'bob' } as const

/** Sign-in and tokens together with the accounts behind them, over any Records. */
export function signInSuite(place: string, open: OpenRecords): void {
  describe(`sign-in over ${place}`, () => {
    test('without a header: anonymous, with what is public and no more', async () => {
      const world = await openWorld(open, ['open/**'])
      const principal = await world.signIn.authenticate(undefined, address)
      assert.equal(principalId(principal), 'anonymous')
      assert.deepEqual(
        [may(principal, 'pull', 'open/a'), may(principal, 'push', 'open/a'), may(principal, 'pull', 'shop/a')],
        [true, false, false],
      )
      assert.equal(mayList(principal), true)
      const closed = await openWorld(open)
      assert.equal(mayList(await closed.signIn.authenticate(undefined, address)), false)
    })

    test('Basic: a user by password, a robot by token', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob', 'pull=shop/**')
      const token = await addRobot(world, 'ci', 'push=shop/**')
      const user = await world.signIn.authenticate(basic('bob'), address)
      assert.deepEqual([principalId(user), may(user, 'pull', 'shop/a'), may(user, 'push', 'shop/a')], ['user:bob', true, false])
      const robot = await world.signIn.authenticate(basic('ci', token), address)
      assert.deepEqual([principalId(robot), may(robot, 'pull', 'shop/a'), may(robot, 'push', 'shop/a')], ['robot:ci', false, true])
      assert.deepEqual(Object.keys(user).toSorted(), ['grants', 'kind', 'name'], 'a principal carries nothing of the credential')
    })

    test('Bearer: a robot by its token alone, until it expires or is gone; no token of a name that is taken up again', async () => {
      const world = await openWorld(open)
      const { token } = await world.accounts.addRobot(actor, {
        name: 'ci',
        grants: parseGrants(['pull=shop/**']),
        expiresAt: world.clock.now + 5000,
      })
      const robot = await world.signIn.authenticate(`Bearer ${token}`, address)
      assert.deepEqual(
        [principalId(robot), robot.scope, may(robot, 'pull', 'shop/a'), may(robot, 'push', 'shop/a')],
        ['robot:ci', undefined, true, false],
      )
      assert.deepEqual(Object.keys(robot).toSorted(), ['grants', 'kind', 'name'])
      world.clock.now += 5000
      await assert.rejects(world.signIn.authenticate(`Bearer ${token}`, address), /the token of the robot ci has expired/)
      await world.accounts.remove(actor, { kind: 'robot', name: 'ci' })
      await assert.rejects(world.signIn.authenticate(`Bearer ${token}`, address), /no robot has it/)
      const again = await addRobot(world, 'ci', 'admin')
      await assert.rejects(world.signIn.authenticate(`Bearer ${token}`, address), /no robot has it/)
      assert.ok(isAdmin(await world.signIn.authenticate(`Bearer ${again}`, address)))
      await assert.rejects(
        world.signIn.issue({ authorization: `Bearer ${again}`, scopes: [], address }),
        unauthorized,
        'a token is given for Basic alone',
      )
    })

    test('anything wrong is UNAUTHORIZED, never anonymous', async () => {
      const world = await openWorld(open, ['**'])
      await addUser(world, 'bob', 'pull=shop/**')
      const token = await addRobot(world, 'ci')
      const headers = [
        '',
        ' ',
        'Basic',
        'Basic ',
        'Bearer',
        'Digest x',
        'basic:x',
        `${basic('bob')},Basic x`,
        'Basic !!!!',
        'Basic Ym9i',
        'Basic Ym9iOg=x',
        'Bearer x y',
        `Basic ${Buffer.from('bob').toString('base64')}`,
        `Basic ${Buffer.from([0x62, 0x3a, 0xff, 0xfe]).toString('base64')}`,
        `Basic ${Buffer.from('bob:a\0b').toString('base64')}`,
        basic('bob', 'wrong'),
        basic('bob', ''),
        basic('', ''),
        basic('nobody', 'x'),
        basic('Bob'),
        basic('bob', token),
        basic('ci', 'lzr_'),
        basic('ci', token.slice(0, -1)),
        basic('ci', `${token} `),
        basic('bob', 'x'.repeat(1025)),
        basic('bob', '\u0344'.repeat(500)),
        basic('x'.repeat(9000)),
        `Basic ${'A'.repeat(20_000)}`,
        `Bearer ${'a'.repeat(20_000)}`,
        'Bearer .',
        'Bearer ..',
        'Bearer e30.e30.',
        `Bearer ${token.slice(0, -1)}`,
        `Bearer ${token}A`,
        `Bearer ${token.toUpperCase()}`,
        `Bearer lzr_${'A'.repeat(43)}`,
        'Bearer lzr_',
        'Bearer null',
        'Bearer e30',
        'Negotiate YWJj',
      ]
      for (const header of headers) await assert.rejects(world.signIn.authenticate(header, address), unauthorized, header.slice(0, 60))
      await assert.rejects(world.signIn.authenticate('Basic Ym9i', address), /have no colon/)
    })

    test('an unknown user, a wrong password and a wrong robot token each cost one verification', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob')
      await addRobot(world, 'ci')
      for (const name of ['bob', 'ci', 'nobody']) {
        const before = world.verified.count
        await assert.rejects(world.signIn.authenticate(basic(name, 'wrong-password'), address), /the name or the password is wrong/)
        assert.equal(world.verified.count - before, 1, name)
      }
    })

    test('Basic is verified once a minute, and once for many requests at the same time', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob', 'pull=a')
      await Promise.all(Array.from({ length: 100 }, () => world.signIn.authenticate(basic('bob'), address)))
      assert.equal(world.verified.count, 1)
      world.clock.now += 59_999
      await world.signIn.authenticate(basic('bob'), address)
      assert.equal(world.verified.count, 1)
      world.clock.now += 1
      await world.signIn.authenticate(basic('bob'), address)
      assert.equal(world.verified.count, 2)
    })

    test('a remembered Basic ends with the password, the grants, the account and the expiry', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob', 'pull=a')
      await world.signIn.authenticate(basic('bob'), address)
      await world.accounts.revoke(actor, bob, parseGrants(['pull=a']))
      assert.equal(may(await world.signIn.authenticate(basic('bob'), address), 'pull', 'a'), false)
      await world.accounts.setPassword(actor, 'bob', 'another-password')
      await assert.rejects(world.signIn.authenticate(basic('bob'), address), unauthorized)
      await world.signIn.authenticate(basic('bob', 'another-password'), address)
      await world.accounts.remove(actor, bob)
      await assert.rejects(world.signIn.authenticate(basic('bob', 'another-password'), address), unauthorized)
      const { token } = await world.accounts.addRobot(actor, { name: 'ci', grants: [], expiresAt: world.clock.now + 5000 })
      await world.signIn.authenticate(basic('ci', token), address)
      const jwt = (await world.signIn.issue({ authorization: basic('ci', token), scopes: [], address })).token
      world.clock.now += 5000
      await assert.rejects(world.signIn.authenticate(basic('ci', token), address), /has expired/)
      await assert.rejects(world.signIn.authenticate(`Bearer ${jwt}`, address), unauthorized)
    })

    test('ten wrong passwords a minute by one name from one address, also all at once', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob')
      const guesses = await Promise.allSettled(
        Array.from({ length: 40 }, (_, at) => world.signIn.authenticate(basic('bob', `guess-${at}`), address)),
      )
      const codes = guesses.map((guess) => (guess.status === 'rejected' ? (guess.reason as { code: string }).code : 'in'))
      assert.equal(codes.filter((code) => code === 'UNAUTHORIZED').length, 10)
      assert.equal(codes.filter((code) => code === 'TOOMANYREQUESTS').length, 30)
      assert.equal(world.verified.count, 10)
      await assert.rejects(world.signIn.authenticate(basic('bob'), address), { code: 'TOOMANYREQUESTS', headers: { 'retry-after': '60' } })
      await world.signIn.authenticate(basic('bob'), '192.0.2.8')
      world.clock.now += 60_000
      await world.signIn.authenticate(basic('bob'), address)
    })

    test('what could not be checked is an error, and counts for nothing', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob')
      let broken = true
      const find = async (name: string) => (broken ? Promise.reject(new Error('the database is gone')) : world.accounts.find(name))
      const signIn = createSignIn({ ...world, accounts: { ...world.accounts, find }, publicPatterns: ['**'], now: () => world.clock.now })
      for (let at = 0; at < 20; at++) await assert.rejects(signIn.authenticate(basic('bob'), address), /the database is gone/)
      broken = false
      await signIn.authenticate(basic('bob'), address)
    })

    test('a password under older parameters is hashed anew at sign-in, unless it was changed meanwhile', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob')
      const passwords = createPasswords({ parameters: { memoryKiB: 16, passes: 1, lanes: 1 } })
      const now = () => world.clock.now
      const accounts = createAccounts(world.records, { passwords, now })
      const signIn = createSignIn({ accounts, passwords, tokens: world.tokens, publicPatterns: [], now })
      const stale = await accounts.find('bob')
      const token = (await signIn.issue({ authorization: basic('bob'), scopes: [], address })).token
      await signIn.authenticate(`Bearer ${token}`, address)
      assert.match((await accounts.find('bob'))?.credential ?? '', /\$m=16,t=1,p=1\$/)
      assert.ok(stale !== undefined)
      assert.equal(await accounts.rehash(stale, passwordOf('bob')), undefined, 'it is no longer what was verified')
      await accounts.setPassword(actor, 'bob', 'another-password')
      await assert.rejects(signIn.authenticate(basic('bob'), address), unauthorized)
    })

    test('a token: the claims of the specification, and the part of the scopes that the grants allow', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob', 'pull=shop/**', 'push=shop/api', 'read-quarantined=held/**')
      const scopes = [
        'repository:shop/api:pull,push,delete repository:shop/web:push,pull',
        'repository:other:pull',
        'repository:held/a:*',
        'registry:catalog:*',
        'repository(plugin):shop/p:pull',
      ]
      const answer = await world.signIn.issue({ authorization: basic('bob'), service, scopes, address })
      const { jti, epoch, ...claims } = decodeJwt(answer.token)
      const seconds = world.clock.now / 1000
      assert.deepEqual(claims, {
        iss: 'lazaret',
        sub: 'user:bob',
        aud: service,
        iat: seconds,
        nbf: seconds - 10,
        exp: seconds + 300,
        access: [
          { type: 'repository', name: 'shop/api', actions: ['pull', 'push'] },
          { type: 'repository', name: 'shop/web', actions: ['pull'] },
          { type: 'repository', name: 'held/a', actions: ['pull'] },
          { type: 'registry', name: 'catalog', actions: ['*'] },
          { type: 'repository', name: 'shop/p', actions: ['pull'] },
        ],
      })
      assert.match(`${jti} ${epoch}`, /^[0-9a-f-]{36} [A-Za-z0-9_-]{22}$/)
      assert.deepEqual(
        [answer.access_token, answer.expires_in, answer.issued_at],
        [answer.token, 300, new Date(world.clock.now).toISOString()],
      )
      assert.equal(answer.refresh_token, undefined)
      assert.equal(
        answer.scope,
        'repository:shop/api:pull,push repository:shop/web:pull repository:held/a:pull registry:catalog:* repository:shop/p:pull',
      )
    })

    test('a token of one repository is none for another, and none for the catalog', async () => {
      const world = await openWorld(open)
      await addUser(world, 'root', 'admin')
      const one = await world.signIn.authenticate(await bearer(world, 'root', 'repository:shop/api:pull'), address)
      assert.deepEqual(
        [may(one, 'pull', 'shop/api'), may(one, 'push', 'shop/api'), may(one, 'pull', 'shop/web'), mayList(one)],
        [true, false, false, false],
      )
      assert.ok(isAdmin(one) && granted(one, 'push', 'shop/web'))
      const none = await world.signIn.authenticate(await bearer(world, 'root'), address)
      assert.deepEqual([may(none, 'pull', 'shop/api'), mayList(none)], [false, false])
      const star = await world.signIn.authenticate(await bearer(world, 'root', 'repository:shop/api:*', 'registry:catalog:*'), address)
      assert.deepEqual([may(star, 'delete', 'shop/api'), may(star, 'delete', 'shop/web'), mayList(star)], [true, false, true])
    })

    test('a token ends with its user at once, also where another comes up under the name, and with its grants', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob', 'pull=a')
      const header = await bearer(world, 'bob', 'repository:a:pull')
      assert.equal(may(await world.signIn.authenticate(header, address), 'pull', 'a'), true)
      await world.accounts.revoke(actor, bob, parseGrants(['pull=a']))
      assert.equal(may(await world.signIn.authenticate(header, address), 'pull', 'a'), false)
      await world.accounts.grant(actor, bob, parseGrants(['pull=a']))
      assert.equal(may(await world.signIn.authenticate(header, address), 'pull', 'a'), true)
      await world.accounts.remove(actor, bob)
      await assert.rejects(world.signIn.authenticate(header, address), unauthorized)
      await addUser(world, 'bob', 'admin')
      await assert.rejects(world.signIn.authenticate(header, address), unauthorized)
      const second = await bearer(world, 'bob')
      await world.accounts.setPassword(actor, 'bob', 'another-password')
      await assert.rejects(world.signIn.authenticate(second, address), unauthorized)
    })

    test('a token expires after 300 s, remembered or not', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob')
      const [used, unused] = [await bearer(world, 'bob'), await bearer(world, 'bob')]
      await world.signIn.authenticate(used, address)
      world.clock.now += 299_999
      await world.signIn.authenticate(used, address)
      world.clock.now += 1
      for (const header of [used, unused]) await assert.rejects(world.signIn.authenticate(header, address), /it has expired/)
    })

    test('a token can not be used to get another, nor can a wrong password', async () => {
      const world = await openWorld(open, ['open/**'])
      await addUser(world, 'bob', 'pull=a')
      const authorization = await bearer(world, 'bob')
      await assert.rejects(world.signIn.issue({ authorization, scopes: [], address }), unauthorized)
      await assert.rejects(
        world.signIn.issue({ authorization: basic('bob', 'wrong'), scopes: ['repository:open/x:pull'], address }),
        unauthorized,
      )
      await assert.rejects(world.signIn.issue({ authorization: '', scopes: [], address }), unauthorized)
      await assert.rejects(world.signIn.issue({ service: 'other.example', scopes: [], address }), { code: 'INPUT_INVALID' })
    })

    test('an anonymous token gives what is public, while it is', async () => {
      const world = await openWorld(open, ['open/**'])
      const { token } = await world.signIn.issue({
        scopes: ['repository:open/a:pull,push repository:shop/a:pull registry:catalog:*'],
        address,
      })
      const principal = await world.signIn.authenticate(`Bearer ${token}`, address)
      assert.equal(principalId(principal), 'anonymous')
      assert.deepEqual(
        [may(principal, 'pull', 'open/a'), may(principal, 'push', 'open/a'), may(principal, 'pull', 'shop/a'), mayList(principal)],
        [true, false, false, true],
      )
      const closed = createSignIn({
        accounts: world.accounts,
        passwords: world.passwords,
        tokens: world.tokens,
        publicPatterns: [],
        now: () => world.clock.now,
      })
      assert.equal(may(await closed.authenticate(`Bearer ${token}`, address), 'pull', 'open/a'), false)
    })

    test('OAuth2: by password, by refresh token, and nothing else', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob', 'pull=a')
      const ask = (form: Record<string, string>) => world.signIn.issueOAuth({ form, address })
      const byPassword = {
        grant_type: 'password',
        service,
        username: 'bob',
        password: passwordOf('bob'),
        scope: 'repository:a:pull repository:b:pull',
      }
      const online = await ask(byPassword)
      assert.deepEqual([online.scope, online.refresh_token], ['repository:a:pull', undefined])
      const { refresh_token: refresh = '' } = await ask({ ...byPassword, access_type: 'offline' })
      const again = await ask({ grant_type: 'refresh_token', service, refresh_token: refresh, scope: 'repository:a:pull' })
      assert.equal(may(await world.signIn.authenticate(`Bearer ${again.access_token}`, address), 'pull', 'a'), true)
      assert.equal(again.refresh_token, refresh)
      await assert.rejects(world.signIn.authenticate(`Bearer ${refresh}`, address), unauthorized)
      await assert.rejects(ask({ grant_type: 'refresh_token', refresh_token: again.access_token }), unauthorized)
      for (const form of [
        {},
        { grant_type: 'authorization_code' },
        { grant_type: 'password', username: 'bob' },
        { grant_type: 'refresh_token' },
      ])
        await assert.rejects(ask(form), { code: 'INPUT_INVALID' })
      await assert.rejects(ask({ ...byPassword, password: 'wrong' }), unauthorized)
      await world.accounts.setPassword(actor, 'bob', 'another-password')
      await assert.rejects(ask({ grant_type: 'refresh_token', refresh_token: refresh }), unauthorized)
    })

    test('a token for an account that never was, rightly signed, is refused', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob', 'pull=a')
      const epoch = (await world.accounts.find('bob'))?.epoch ?? ''
      for (const [sub, claimed] of [
        ['user:nobody', epoch],
        ['user:bob', 'x'],
        ['robot:bob', epoch],
        ['bob', epoch],
        ['admin:bob', epoch],
        ['user:', epoch],
      ] as const) {
        await assert.rejects(world.signIn.authenticate(`Bearer ${await forge(world, sub, claimed)}`, address), unauthorized, sub)
      }
      await world.signIn.authenticate(`Bearer ${await forge(world, 'user:bob', epoch)}`, address)
    })
  })
}

function forge(world: World, subject: string, epoch: string): Promise<string> {
  const at = world.clock.now / 1000
  return new SignJWT({ epoch, access: [] })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: world.key.kid })
    .setIssuer('lazaret')
    .setAudience(service)
    .setSubject(subject)
    .setIssuedAt(at)
    .setNotBefore(at)
    .setExpirationTime(at + 60)
    .sign(world.key.privateKey)
}

function unauthorized(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'UNAUTHORIZED'
}
