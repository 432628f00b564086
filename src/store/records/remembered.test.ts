import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRememberedAnswers } from './remembered.ts'
import { openSqliteRecords } from './sqlite.ts'

test('an answer is given again until the next commit, and for a second at most', async () => {
  let asked = 0
  let at = 1000
  const answers = createRememberedAnswers(() => at)
  const query = answers.over<{ n: number }>({ first: () => ({ n: ++asked }), all: () => [] })
  const first = query.first('a')
  assert.equal(query.first('a'), first)
  await query.first('b')
  assert.equal(asked, 2)
  answers.forget()
  await query.first('a')
  assert.equal(asked, 3)
  at += 999
  await query.first('a')
  assert.equal(asked, 3)
  at += 1
  await query.first('a')
  assert.equal(asked, 4)
  at -= 500 // a clock that was set back
  await query.first('a')
  assert.equal(asked, 5)
})

test('what is not there is remembered too, and an error is not', async () => {
  let asked = 0
  const query = createRememberedAnswers().over({
    first: () => {
      if (++asked === 1) throw new Error('the disk is gone')
      return undefined
    },
    all: () => [],
  })
  await assert.rejects(query.first('a'), /the disk is gone/)
  assert.equal(await query.first('a'), undefined)
  assert.equal(await query.first('a'), undefined)
  assert.equal(asked, 2)
})

test('rows are shared, and nobody can change them', async () => {
  const query = createRememberedAnswers().over({ first: () => ({ n: 1 }), all: () => [] })
  const row = (await query.first('a')) ?? assert.fail()
  assert.throws(() => (row.n = 2), TypeError)
})

test('two lists of parameters never share an answer', async () => {
  const parameter = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', '\0', '1', 'null') }),
    fc.integer({ min: -9, max: 99 }),
    fc.constant(null),
  )
  const lists = fc.array(fc.tuple(parameter, parameter), { minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(lists, async (asked) => {
      // Each column has one type.
      const typed = asked.filter(([a, b]) => typeof a !== 'number' && typeof b !== 'string')
      const query = createRememberedAnswers().over({ first: (...given) => ({ given: JSON.stringify(given) }), all: () => [] })
      for (const list of typed) assert.equal((await query.first(...list))?.given, JSON.stringify(list))
    }),
  )
})

test('memory is bounded, by answers and by bytes', async () => {
  const big = new Uint8Array(900_000)
  let asked = 0
  const query = createRememberedAnswers().over({ first: () => ({ big, n: ++asked }), all: () => [] })
  for (let round = 0; round < 2; round++) for (let at = 0; at < 30; at++) await query.first(String(at))
  assert.ok(asked > 30, 'thirty of 900 kB do not fit into 16 MiB')
  const before = asked
  await query.first('29')
  assert.equal(asked, before, 'the last one is still there')
})

test('a read after a write that has resolved sees it, whatever runs beside', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-test-remembered-'))
  const records = await openSqliteRecords(join(folder, 'records.sqlite'))
  try {
    const query = records.remember<{ id: number }>('select id from repositories where name = ?')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.constantFrom('put', 'remove', 'fail')), { maxLength: 30 }),
        async (steps) => {
          await Promise.all(
            [0, 1, 2, 3, 4, 5].map(async (lane) => {
              for (const [, step] of steps.filter(([of]) => of === lane)) {
                const name = `r${lane}`
                const written = records.write(async (tx) => {
                  if (step === 'remove') await tx.deleteFrom('repositories').where('name', '=', name).execute()
                  else
                    await tx
                      .insertInto('repositories')
                      .values({ name, created_at: 1 })
                      .onConflict((conflict) => conflict.column('name').doNothing())
                      .execute()
                  if (step === 'fail') throw new Error('taken back')
                })
                void query.first(name) // fills in while the write is under way
                const before = (await query.first(name)) !== undefined
                const failed = await written.then(
                  () => false,
                  () => true,
                )
                const after = (await query.first(name)) !== undefined
                if (step === 'fail') assert.deepEqual({ failed, after }, { failed: true, after: before })
                else assert.equal(after, step === 'put')
              }
            }),
          )
          await records.write((tx) => tx.deleteFrom('repositories').execute())
        },
      ),
      { numRuns: 20 },
    )
  } finally {
    await records.close()
    await rm(folder, { recursive: true, force: true })
  }
})
