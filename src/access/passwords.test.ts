import assert from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import { test } from 'node:test'
import fc from 'fast-check'
import { createPasswords } from './passwords.ts'
import { formatPhc, parsePhc } from './phc.ts'

const cheap = { parameters: { memoryKiB: 8, passes: 1, lanes: 1 } }

test('the default parameters are those of OWASP, each hash with a salt of its own', async () => {
  const passwords = createPasswords()
  const [one, two] = await Promise.all([passwords.hash('a password'), passwords.hash('a password')])
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  assert.notEqual(one.split('$')[4], two.split('$')[4])
  assert.deepEqual(await passwords.verify('a password', one), { matches: true, outdated: false })
  assert.deepEqual(await passwords.verify('a passwort', one), { matches: false, outdated: false })
})

test('a string made by the reference implementation matches', async () => {
  // P-H-C/phc-winner-argon2, src/test.c: hashtest(0x13, 2, 16, 1, "password", "somesalt", …, Argon2_id)
  const stored = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  assert.deepEqual(await createPasswords().verify('password', stored), { matches: true, outdated: true })
  assert.equal((await createPasswords().verify('passwore', stored)).matches, false)
})

test('what was stored under other parameters is said to be outdated', async () => {
  const stored = await createPasswords(cheap).hash('a password')
  assert.deepEqual(await createPasswords({ parameters: { memoryKiB: 16, passes: 1, lanes: 1 } }).verify('a password', stored), {
    matches: true,
    outdated: true,
  })
})

test('an unknown user costs what a wrong password costs, and never matches', async () => {
  const passwords = createPasswords()
  const stored = await passwords.hash('a password')
  const spent = { unknown: Infinity, wrong: Infinity }
  for (let round = 0; round < 4; round++) {
    spent.unknown = Math.min(
      spent.unknown,
      await timed(async () => assert.equal((await passwords.verify('wrong', undefined)).matches, false)),
    )
    spent.wrong = Math.min(spent.wrong, await timed(async () => assert.equal((await passwords.verify('wrong', stored)).matches, false)))
  }
  const ratio = spent.unknown / spent.wrong
  assert.ok(ratio > 0.5 && ratio < 2, `unknown ${spent.unknown} ms, wrong ${spent.wrong} ms`)
})

test('the same letters match however they were composed; a password that is too long never does', async () => {
  const passwords = createPasswords(cheap)
  assert.equal((await passwords.verify('u\u0308ber', await passwords.hash('\u00fcber'))).matches, true)
  const empty = await passwords.hash('')
  assert.equal((await passwords.verify('x'.repeat(1025), empty)).matches, false)
  assert.equal((await passwords.verify('\u0344'.repeat(500), empty)).matches, false)
  await assert.rejects(passwords.hash('x'.repeat(1025)), { code: 'INPUT_INVALID' })
})

test('so many at once, so many waiting, and no more', async () => {
  const passwords = createPasswords({ ...cheap, slots: { atOnce: 2, waiting: 3 } })
  const outcomes = await Promise.allSettled(Array.from({ length: 9 }, () => passwords.verify('x', undefined)))
  assert.deepEqual(
    outcomes.map((outcome) => outcome.status === 'fulfilled'),
    [true, true, true, true, true, false, false, false, false],
  )
  for (const outcome of outcomes.slice(5))
    assert.equal(outcome.status === 'rejected' && (outcome.reason as { code: string }).code, 'TOOMANYREQUESTS')
  assert.equal((await passwords.verify('x', undefined)).matches, false, 'the slots are free again')
})

test('a stored string that is not safe to compute is an error, and no match', async () => {
  const salt = 'c29tZXNhbHQ'
  const tag = 'CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  const bad = [
    '',
    'password',
    `$argon2i$v=19$m=8,t=1,p=1$${salt}$${tag}`,
    `$argon2id$v=16$m=8,t=1,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=999999,t=1,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=8,t=99,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=8,t=0,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=8,t=1,p=0$${salt}$${tag}`,
    `$argon2id$v=19$m=8,t=1,p=2$${salt}$${tag}`,
    `$argon2id$v=19$m=8,t=1,p=1$${salt}$`,
    `$argon2id$v=19$m=8,t=1,p=1$${salt}$${tag}\n`,
    `$argon2id$v=19$m=8,t=1,p=1$${salt}$${tag}=`,
    `$argon2id$v=19$m=8,t=1,p=1$${salt}$${tag.slice(0, -1)}d`,
    `$argon2id$v=19$m=8,t=1,p=1$$${tag}`,
    `$2b$04$abcdefghijklmnopqrstuu`,
  ]
  for (const stored of bad) await assert.rejects(createPasswords(cheap).verify('password', stored), { code: 'INTERNAL' }, stored)
})

test('PHC strings: read back as written, and nothing in between', () => {
  const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength })
  fc.assert(
    fc.property(
      fc.integer({ min: 64, max: 262_144 }),
      fc.integer({ min: 1, max: 16 }),
      fc.integer({ min: 1, max: 8 }),
      bytes(9, 64),
      bytes(17, 64),
      (memoryKiB, passes, lanes, salt, tag) => {
        const phc = { parameters: { memoryKiB, passes, lanes }, salt, tag }
        const read = parsePhc(formatPhc(phc))
        assert.deepEqual(read === undefined ? undefined : { ...read, salt: new Uint8Array(read.salt), tag: new Uint8Array(read.tag) }, phc)
      },
    ),
  )
  fc.assert(
    fc.property(fc.string(), (text) => {
      const read = parsePhc(`$argon2id$${text}`)
      assert.ok(read === undefined || formatPhc(read) === `$argon2id$${text}`)
    }),
  )
})

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
