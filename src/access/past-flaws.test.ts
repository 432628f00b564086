// Flaws that registries had, where they concern who may do what: one test each, named by its record.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { scratch } from '../../test/support/scratch.ts'
import { isAdmin, may, mayList } from '../model/access.ts'
import { openSqliteRecords } from '../store/records/sqlite.ts'
import type { Records } from '../store/records/records.ts'
import { openAccess } from './access.ts'
import { realmFor } from './challenge.ts'
import { parseGrants } from './grants.ts'
import { actor, addRobot, address, addUser, basic, bearer, openWorld, passwordOf } from './suites/world.ts'

const stack = new AsyncDisposableStack()
const folder = await scratch(stack, 'access')
after(() => stack.disposeAsync())
let opened = 0

async function open(): Promise<Records> {
  const records = await openSqliteRecords(join(folder, `${++opened}.sqlite`))
  stack.defer(() => records.close())
  return records
}

test('CVE-2019-16097: no field of a request makes its user an administrator', async () => {
  const world = await openWorld(open)
  const request = {
    name: 'bob',
    password: passwordOf('bob'),
    grants: parseGrants(['pull=a']),
    kind: 'robot',
    admin: true,
    isAdmin: true,
    has_admin_role: true,
    role: 'admin',
  }
  await world.accounts.addUser(actor, request)
  assert.equal(isAdmin(await world.signIn.authenticate(basic('bob'), address)), false)
})

test('CVE-2019-19029: text that is SQL elsewhere is a name or a key here', async () => {
  const world = await openWorld(open)
  await addUser(world, 'bob', 'pull=a')
  for (const text of ["bob' or '1'='1", "'; drop table users; --", 'bob"', '$1', '?', '%']) {
    assert.equal(await world.accounts.find(text), undefined)
    await assert.rejects(world.accounts.remove(actor, { kind: 'user', name: text }), { code: 'NOT_FOUND' })
    await world.accounts.list('user', { after: text })
    await assert.rejects(world.signIn.authenticate(basic(text), address), { code: 'UNAUTHORIZED' })
  }
  assert.equal((await world.accounts.list('user')).items.length, 1)
})

test('CVE-2025-30086, CVE-2025-48374: no list, error, principal or audit row holds a secret or its hash', async () => {
  const world = await openWorld(open)
  await addUser(world, 'bob', 'pull=a')
  const token = await addRobot(world, 'ci')
  await world.accounts.setPassword(actor, 'bob', 'another-password')
  const errors = await Promise.allSettled(
    [basic('bob', 'guessed-password'), `Bearer ${token}`, `Basic ${token}`, `Bearer ${token}.x.y`].map((header) =>
      world.signIn.authenticate(header, address),
    ),
  )
  const told = JSON.stringify([
    await world.accounts.list('user'),
    await world.accounts.list('robot'),
    await world.signIn.authenticate(basic('ci', token), address),
    await world.records.read.selectFrom('audit_log').selectAll().execute(),
    errors.map((outcome) =>
      outcome.status === 'rejected' ? `${(outcome.reason as Error).stack} ${JSON.stringify(outcome.reason)}` : 'in',
    ),
  ])
  const stored = (await Promise.all(['bob', 'ci'].map((name) => world.accounts.find(name)))).map((account) => account?.credential ?? '')
  for (const secret of [passwordOf('bob'), 'another-password', 'guessed-password', token, token.slice(4), ...stored])
    assert.ok(secret !== '' && !told.includes(secret), secret)
  assert.doesNotMatch(told, /argon2id/)
})

test('CVE-2026-4404: there is no password that opens every installation', async () => {
  const passwords = new Set<string>()
  for (const name of ['one', 'two']) {
    const stage = await openAccess({ records: await open(), dataFolder: join(folder, name), service: 'r.example', publicPatterns: [] })
    passwords.add((await stage.admin).generated?.password ?? '')
    for (const guess of ['', 'admin', 'password', 'Harbor12345', 'lazaret', 'changeme'])
      await assert.rejects(stage.signIn.authenticate(basic('admin', guess), address), { code: 'UNAUTHORIZED' })
    assert.ok(isAdmin(await stage.signIn.authenticate(basic('admin', (await stage.admin).generated?.password), address)))
  }
  assert.ok(passwords.size === 2 && [...passwords].every((password) => password.length >= 24))
})

test('CVE-2020-29662: the catalog is not for who may pull nothing', async () => {
  const world = await openWorld(open)
  const { token } = await world.signIn.issue({ scopes: ['registry:catalog:*'], address })
  assert.equal(mayList(await world.signIn.authenticate(`Bearer ${token}`, address)), false)
  assert.equal(mayList(await world.signIn.authenticate(undefined, address)), false)
})

test('CVE-2022-31666: a right on one project is none on its neighbour', async () => {
  const world = await openWorld(open)
  await addUser(world, 'bob', 'pull=shop/**', 'push=shop/api', 'delete=shop/a*')
  const principal = await world.signIn.authenticate(
    await bearer(world, 'bob', 'repository:shop/api:*', 'repository:shop2/api:*', 'repository:sho:*', 'repository:workshop/api:*'),
    address,
  )
  const allowed = ['shop/api', 'shop/web', 'shop2/api', 'sho', 'workshop/api'].flatMap((name) =>
    (['pull', 'push', 'delete'] as const).filter((action) => may(principal, action, name)).map((action) => `${action} ${name}`),
  )
  assert.deepEqual(allowed, ['pull shop/api', 'push shop/api', 'delete shop/api'])
})

test('CVE-2023-20902: secrets are compared in constant time', async () => {
  for (const file of ['passwords.ts', 'robot-token.ts']) {
    assert.match(await readFile(join(import.meta.dirname, file), 'utf8'), /timingSafeEqual\(/, file)
  }
})

test('CVE-2025-23208: a right that was taken is not honoured, by token, by remembered Basic, or by a new token', async () => {
  const world = await openWorld(open)
  await addUser(world, 'bob', 'push=a', 'pull=a')
  const headers = [await bearer(world, 'bob', 'repository:a:push,pull'), basic('bob')]
  const mayPush = async (header: string) => may(await world.signIn.authenticate(header, address), 'push', 'a')
  assert.deepEqual(await Promise.all(headers.map(mayPush)), [true, true])
  await world.accounts.revoke(actor, { kind: 'user', name: 'bob' }, parseGrants(['push=a']))
  assert.deepEqual(await Promise.all([...headers, await bearer(world, 'bob', 'repository:a:push,pull')].map(mayPush)), [
    false,
    false,
    false,
  ])
})

test('CVE-2026-33540: a forged Host does not choose where passwords go', () => {
  assert.equal(
    realmFor({ hostHeader: 'evil.example', publicUrls: ['https://registry.example'], path: '/token' }),
    'https://registry.example/token',
  )
})

test('CVE-2023-2253, CVE-2017-11468: no count and no length that a client sends is believed', async () => {
  const world = await openWorld(open)
  await assert.rejects(world.accounts.list('user', { limit: 2 ** 31 }), { code: 'PAGINATION_NUMBER_INVALID' })
  await assert.rejects(world.signIn.authenticate(`Basic ${'A'.repeat(10_000_000)}`, address), { code: 'UNAUTHORIZED' })
  await assert.rejects(world.signIn.authenticate(`Bearer ${'A'.repeat(10_000_000)}`, address), { code: 'UNAUTHORIZED' })
  await assert.rejects(world.signIn.issue({ scopes: ['repository:a:pull '.repeat(1_000_000)], address }), { code: 'LIMIT_EXCEEDED' })
})
