import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createAccounts, type Accounts } from '../accounts.ts'
import { ensureAdmin } from '../first-admin.ts'
import { parseGrants } from '../grants.ts'
import type { OpenRecords } from '../../store/suites/records.ts'
import { actor, addRobot, addUser, openWorld, passwordOf, type World } from './world.ts'

const bob = { kind: 'user', name: 'bob' } as const
const ci = { kind: 'robot', name: 'ci' } as const

/** The contract of `Accounts`, over any Records. */
export function accountsSuite(place: string, open: OpenRecords): void {
  describe(`accounts over ${place}`, () => {
    test('a user is added, found, listed, and gone after removal', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob', 'pull=shop/**', 'push=shop/api')
      const found = await world.accounts.find('bob')
      assert.equal(found?.kind, 'user')
      assert.deepEqual(grantsOf(found), ['pull shop/**', 'push shop/api'])
      assert.match(found?.credential ?? '', /^\$argon2id\$/)
      assert.deepEqual(await world.accounts.list('user'), {
        items: [{ kind: 'user', name: 'bob', grants: ['pull=shop/**', 'push=shop/api'], createdAt: world.clock.now }],
      })
      await world.accounts.remove(actor, bob)
      assert.equal(await world.accounts.find('bob'), undefined)
      assert.deepEqual(await world.accounts.list('user'), { items: [] })
      assert.equal((await world.records.read.selectFrom('grants').selectAll().execute()).length, 0)
    })

    test('a robot gets a token once, stored as a hash, with its expiry', async () => {
      const world = await openWorld(open)
      const expiresAt = world.clock.now + 90 * 86_400_000
      const { token } = await world.accounts.addRobot(actor, { name: 'ci', grants: parseGrants(['pull=shop/**']), expiresAt })
      assert.match(token, /^lzr_[A-Za-z0-9_-]{43}$/)
      const found = await world.accounts.find('ci')
      assert.equal(found?.expiresAt, expiresAt)
      assert.match(found?.credential ?? '', /^[0-9a-f]{64}$/)
      assert.deepEqual(await world.accounts.list('robot'), {
        items: [{ kind: 'robot', name: 'ci', grants: ['pull=shop/**'], createdAt: world.clock.now, expiresAt }],
      })
      await assert.rejects(world.accounts.addRobot(actor, { name: 'late', grants: [], expiresAt: world.clock.now }), code('INPUT_INVALID'))
      await assert.rejects(world.accounts.addRobot(actor, { name: 'late', grants: [], expiresAt: Number.NaN }), code('INPUT_INVALID'))
    })

    test('users and robots share one space of names, also when both are added at once', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob')
      await addRobot(world, 'ci')
      await assert.rejects(addRobot(world, 'bob'), code('CONFLICT'))
      await assert.rejects(addUser(world, 'ci'), code('CONFLICT'))
      const outcomes = await Promise.allSettled([addUser(world, 'x'), addRobot(world, 'x'), addUser(world, 'x'), addRobot(world, 'x')])
      assert.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1)
    })

    test('names and passwords that no account can have are refused', async () => {
      const world = await openWorld(open)
      for (const name of ['', 'Bob', '-bob', '.bob', 'b b', 'bob\0', 'bob\n', 'bób', 'a/b', 'a:b', 'x'.repeat(64), 'anonymous', 'system']) {
        await assert.rejects(addUser(world, name), code('INPUT_INVALID'), name)
        await assert.rejects(addRobot(world, name), code('INPUT_INVALID'), name)
      }
      for (const password of ['', 'seven77', '😀😀😀😀', 'with\nline', 'x'.repeat(1025), 'ü'.repeat(513)]) {
        await assert.rejects(
          world.accounts.addUser(actor, { name: 'bob', password, grants: [] }),
          code('INPUT_INVALID'),
          password.slice(0, 20),
        )
      }
      assert.equal(await world.accounts.hasUsers(), false)
      assert.equal((await auditRows(world)).length, 0)
    })

    test('grants are given and taken; taking one that is not there takes none', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob', 'pull=a', 'pull=b')
      await world.accounts.grant(actor, bob, parseGrants(['push=a', 'pull=a']))
      assert.deepEqual(grantsOf(await world.accounts.find('bob')), ['pull a', 'pull b', 'push a'])
      await assert.rejects(world.accounts.revoke(actor, bob, parseGrants(['pull=a', 'delete=a'])), code('NOT_FOUND'))
      assert.deepEqual(grantsOf(await world.accounts.find('bob')), ['pull a', 'pull b', 'push a'])
      await world.accounts.revoke(actor, bob, parseGrants(['pull=a', 'push=a']))
      assert.deepEqual(grantsOf(await world.accounts.find('bob')), ['pull b'])
      for (const change of [world.accounts.grant, world.accounts.revoke])
        await assert.rejects(change(actor, ci, parseGrants(['pull=a'])), code('NOT_FOUND'))
      await assert.rejects(world.accounts.grant(actor, { kind: 'robot', name: 'bob' }, parseGrants(['admin'])), code('NOT_FOUND'))
    })

    test('no account has more than 256 grants', async () => {
      const world = await openWorld(open)
      const many = Array.from({ length: 256 }, (_, at) => `pull=shop/${at}`)
      await addUser(world, 'bob', ...many)
      await assert.rejects(world.accounts.grant(actor, bob, parseGrants(['pull=one-more'])), code('LIMIT_EXCEEDED'))
      assert.equal((await world.accounts.find('bob'))?.grants.length, 256)
    })

    test('an administrator always remains', async () => {
      const world = await openWorld(open)
      await addUser(world, 'root', 'admin')
      await addRobot(world, 'ci', 'admin')
      const root = { kind: 'user', name: 'root' } as const
      await assert.rejects(world.accounts.remove(actor, root), code('CONFLICT'))
      await assert.rejects(world.accounts.revoke(actor, root, parseGrants(['admin'])), code('CONFLICT'))
      assert.deepEqual(grantsOf(await world.accounts.find('root')), ['admin '])
      await addUser(world, 'bob', 'admin')
      const outcomes = await Promise.allSettled([world.accounts.remove(actor, root), world.accounts.remove(actor, bob)])
      assert.deepEqual(outcomes.map((outcome) => outcome.status).toSorted(), ['fulfilled', 'rejected'])
    })

    test('every change is in the audit log with who, from where and what; a refused one leaves no row', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob', 'pull=a')
      await addRobot(world, 'ci')
      await world.accounts.setPassword(actor, 'bob', 'another-password')
      await world.accounts.grant(actor, bob, parseGrants(['push=a']))
      await world.accounts.revoke(actor, bob, parseGrants(['push=a']))
      await world.accounts.remove(actor, ci)
      await assert.rejects(world.accounts.remove(actor, ci), code('NOT_FOUND'))
      await assert.rejects(world.accounts.setPassword(actor, 'ci', 'another-password'), code('NOT_FOUND'))
      const rows = await auditRows(world)
      assert.deepEqual(
        rows.map((row) => `${row.principal} ${row.address} ${row.action} ${row.subject} ${row.result} ${row.detail}`),
        [
          'user:admin 192.0.2.1 user.add user:bob done {"grants":["pull=a"]}',
          'user:admin 192.0.2.1 robot.add robot:ci done {"grants":[]}',
          'user:admin 192.0.2.1 user.set-password user:bob done {}',
          'user:admin 192.0.2.1 user.grant user:bob done {"grants":["push=a"]}',
          'user:admin 192.0.2.1 user.revoke user:bob done {"grants":["push=a"]}',
          'user:admin 192.0.2.1 robot.remove robot:ci done {}',
        ],
      )
      assert.ok(rows.every((row) => row.at === world.clock.now))
    })

    test('lists come in pages by key, of at most 1,000', async () => {
      const world = await openWorld(open)
      for (const name of ['c', 'a-b', 'ab', 'a', 'd']) await addRobot(world, name, 'pull=x')
      const first = await world.accounts.list('robot', { limit: 2 })
      assert.deepEqual([first.items.map((item) => item.name), first.next], [['a', 'a-b'], 'a-b'])
      const second = await world.accounts.list('robot', { limit: 3, after: 'a-b' })
      assert.deepEqual([second.items.map((item) => item.name), second.next], [['ab', 'c', 'd'], undefined])
      for (const limit of [0, -1, 1.5, 1001, 1e12, Number.NaN])
        await assert.rejects(world.accounts.list('user', { limit }), code('PAGINATION_NUMBER_INVALID'))
    })

    test('a change by this process counts at once, one by another after two seconds at most', async () => {
      const world = await openWorld(open)
      const otherNode: Accounts = createAccounts(world.records, { passwords: world.passwords, now: () => world.clock.now })
      await addUser(world, 'bob', 'pull=a')
      assert.deepEqual(grantsOf(await otherNode.find('bob')), ['pull a'])
      await world.accounts.grant(actor, bob, parseGrants(['pull=b']))
      assert.deepEqual(grantsOf(await world.accounts.find('bob')), ['pull a', 'pull b'])
      assert.deepEqual(grantsOf(await otherNode.find('bob')), ['pull a'], 'a snapshot was expected: lookups would not be cheap')
      world.clock.now += 2000
      assert.deepEqual(grantsOf(await otherNode.find('bob')), ['pull a', 'pull b'])
      await world.accounts.remove(actor, bob)
      world.clock.now -= 3_600_000
      assert.equal(await otherNode.find('bob'), undefined, 'a clock set back kept a snapshot alive')
    })

    test('lookups under way while an account is removed are not remembered', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob', 'pull=a')
      const removal = world.accounts.remove(actor, bob)
      await Promise.all([removal, ...Array.from({ length: 50 }, () => world.accounts.find('bob'))])
      assert.equal(await world.accounts.find('bob'), undefined)
    })

    test('the epoch follows the credential and the account, never the grants', async () => {
      const world = await openWorld(open)
      await addUser(world, 'bob', 'pull=a')
      const first = (await world.accounts.find('bob'))?.epoch
      await world.accounts.grant(actor, bob, parseGrants(['pull=b']))
      assert.equal((await world.accounts.find('bob'))?.epoch, first)
      await world.accounts.setPassword(actor, 'bob', passwordOf('bob'))
      const second = (await world.accounts.find('bob'))?.epoch
      assert.notEqual(second, first)
      await world.accounts.remove(actor, bob)
      await addUser(world, 'bob', 'pull=a')
      assert.ok(![first, second].includes((await world.accounts.find('bob'))?.epoch))
    })

    test('the first admin: generated once, kept in a file of mode 0600, then left alone', async () => {
      const world = await openWorld(open)
      await inFolder(async (dataFolder) => {
        const given = { accounts: world.accounts, passwords: world.passwords, dataFolder }
        const file = join(dataFolder, 'admin-password')
        await writeFile(file, 'left by a start that crashed', { mode: 0o644 })
        const outcome = await ensureAdmin(given)
        assert.equal(outcome.admin, 'added')
        assert.match(outcome.generated?.password ?? '', /^[A-Za-z0-9_-]{24}$/)
        assert.equal(await readFile(file, 'utf8'), `${outcome.generated?.password}\n`)
        assert.equal((await stat(file)).mode & 0o777, 0o600)
        assert.deepEqual(grantsOf(await world.accounts.find('admin')), ['admin '])
        assert.deepEqual(await ensureAdmin(given), { admin: 'kept' })
        assert.deepEqual(await ensureAdmin({ ...given, password: 'short' }), { admin: 'updated' })
        await assert.rejects(stat(file), { code: 'ENOENT' })
        assert.deepEqual(await ensureAdmin({ ...given, password: 'short' }), { admin: 'kept' })
        assert.deepEqual(
          (await auditRows(world)).map((row) => `${row.principal} ${row.action}`),
          ['system user.add', 'system user.set-password'],
        )
      })
    })

    test('a removed admin does not come back, and only one of two nodes that start at once adds it', async () => {
      const world = await openWorld(open)
      await inFolder(async (dataFolder) => {
        const given = { accounts: world.accounts, passwords: world.passwords, dataFolder, password: 'the-admin-password' }
        const outcomes = await Promise.all([ensureAdmin(given), ensureAdmin(given), ensureAdmin(given)])
        assert.deepEqual(outcomes.map((outcome) => outcome.admin).toSorted(), ['added', 'kept', 'kept'])
        await addUser(world, 'bob', 'admin')
        await world.accounts.remove(actor, { kind: 'user', name: 'admin' })
        assert.deepEqual(await ensureAdmin(given), { admin: 'kept' })
        assert.equal(await world.accounts.find('admin'), undefined)
      })
    })
  })
}

function grantsOf(account: Awaited<ReturnType<Accounts['find']>>): string[] {
  return (account?.grants ?? []).map((grant) => `${grant.action} ${grant.pattern}`).toSorted()
}

function auditRows(world: World) {
  return world.records.read.selectFrom('audit_log').selectAll().orderBy('id').execute()
}

function code(expected: string): (error: unknown) => boolean {
  return (error) => (error as { code?: unknown }).code === expected
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-test-access-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
