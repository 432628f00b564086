import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { scratch } from '../../test/support/scratch.ts'
import { granted, may, type Grant } from '../model/access.ts'
import { openSqliteRecords } from '../store/records/sqlite.ts'
import { createSignIn } from './signin.ts'
import { address, addRobot, addUser, basic, bearer, openWorld } from './suites/world.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const folder = await scratch(stack, 'refused')
let opened = 0

async function begin() {
  const world = await openWorld(async () => {
    const records = await openSqliteRecords(join(folder, `${++opened}.sqlite`))
    stack.defer(() => records.close())
    return records
  })
  const refused: string[] = []
  const open: { grants: Grant[] } = { grants: [{ action: 'pull', pattern: 'open/**', except: ['open/closed/**'] }] }
  const signIn = createSignIn({
    ...world,
    publicPatterns: ['ignored/**'],
    publicGrants: async () => open.grants,
    onRefused: (name, from) => void refused.push(`${name} ${from}`),
    now: () => world.clock.now,
  })
  return { world: { ...world, signIn }, signIn, refused, open }
}

test('every refused sign-in is told, by name and address, and what is no name is not repeated', async () => {
  const { world, signIn, refused } = await begin()
  await addUser(world, 'bob', 'pull=shop/**')
  const robot = await addRobot(world, 'ci', 'pull=shop/**')
  for (const header of [
    basic('bob', 'wrong'),
    basic('nobody', 'x'),
    basic('My secret!', 'x'),
    basic('ci', 'lzr_x'),
    `Bearer lzr_${'A'.repeat(43)}`,
  ])
    await assert.rejects(signIn.authenticate(header, address), { code: 'UNAUTHORIZED' })
  await assert.rejects(signIn.issue({ authorization: basic('bob', 'wrong'), scopes: [], address }), { code: 'UNAUTHORIZED' })
  assert.deepEqual(
    refused,
    ['bob', 'nobody', '(no name)', 'ci', '(token)', 'bob'].map((name) => `${name} ${address}`),
  )
  refused.length = 0
  await signIn.authenticate(basic('bob'), address)
  await signIn.authenticate(`Bearer ${robot}`, address)
  await signIn.authenticate(undefined, address)
  assert.deepEqual(refused, [])
  for (let at = 0; at < 12; at++) await assert.rejects(signIn.authenticate(basic('eve', 'wrong'), address))
  assert.equal(refused.length, 12, 'those that are throttled too')
})

test('what anyone may pull, whoever is signed in may too, by Basic and by a token, and while it is public', async () => {
  const { world, signIn, open } = await begin()
  await addUser(world, 'bob', 'push=shop/**')
  const robot = await addRobot(world, 'ci')
  const token = await bearer(world, 'bob', 'repository:open/a:pull,push')
  const anonymous = `Bearer ${(await signIn.issue({ scopes: ['repository:open/a:pull'], address })).token}`
  const mayPull = async (header: string | undefined) => may(await signIn.authenticate(header, address), 'pull', 'open/a')
  for (const header of [undefined, basic('bob'), `Bearer ${robot}`, token, anonymous])
    assert.equal(await mayPull(header), true, header ?? 'without a header')
  const bob = await signIn.authenticate(basic('bob'), address)
  assert.deepEqual(
    [
      granted(bob, 'push', 'open/a'),
      granted(bob, 'pull', 'open/closed/a'),
      granted(bob, 'pull', 'ignored/a'),
      granted(bob, 'push', 'shop/a'),
    ],
    [false, false, false, true],
  )
  open.grants = []
  for (const header of [undefined, basic('bob'), `Bearer ${robot}`, token, anonymous])
    assert.equal(await mayPull(header), false, header ?? 'without a header')
})
