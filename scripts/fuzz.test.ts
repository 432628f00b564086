import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readersIn, uncalled } from './fuzz/called.ts'
import { mutated } from './fuzz/mutate.ts'
import { Random } from './fuzz/random.ts'
import { allTargets, CaseFailed, runTarget } from './fuzz/targets.ts'

const seed = 6
/** With the samples themselves; `scripts/fuzz.ts` runs as many as it is told. */
const casesPerTarget = 25

/** Folders that read what others wrote. */
const folders = ['src/inventory', 'src/versions', 'src/advisories', 'src/flow/scan/ignore']

/** Whose bytes are ours, or were read before by one that is called. */
const notForeign: Record<string, string> = {
  readSbomFile: 'opens the file that readSbom reads',
  spool: 'copies standard input',
  decodeFacts: 'reads what the database of ours holds',
}

test('every reader of foreign bytes, found in the code, holds over files changed at random', async () => {
  const targets = await allTargets()
  const left = await uncalled(async () => {
    for (const target of targets) await runTarget(target, { seed, count: casesPerTarget })
  }, readersIn(folders))
  const missing = left.filter(({ name }) => notForeign[name] === undefined).map(({ file, name }) => `${file}: ${name}`)
  assert.deepEqual(missing, [], 'give each a target or a sample in scripts/fuzz')
})

test('a reader that fails is told with its seed, case and bytes', async () => {
  const broken = {
    name: 'broken',
    samples: [Buffer.from('abc')],
    run: (bytes: Buffer) => {
      if (!bytes.equals(Buffer.from('abc'))) throw new TypeError('no sense')
    },
  }
  const caught = await runTarget(broken, { seed, count: 50 }).then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.ok(caught instanceof CaseFailed)
  assert.match(caught.message, /^broken: case \d+ of seed 6 \(\d+ bytes\): TypeError: no sense/)
  await assert.rejects(
    runTarget({ ...broken, run: (bytes) => assert.deepEqual(bytes, caught.bytes) }, { seed, from: 1, count: 50 }),
    CaseFailed,
  )
})

test('a seed gives the same cases again, and another seed others', () => {
  const samples = [Buffer.from('{"name":"a","version":"1.0.0"}')]
  const cases = (of: number) => Array.from({ length: 50 }, (_, at) => mutated(samples, new Random(of, 'x', at), 4096).toString('hex'))
  assert.deepEqual(cases(1), cases(1))
  assert.notDeepEqual(cases(1), cases(2))
  assert.ok(new Set(cases(1)).size > 40)
})
