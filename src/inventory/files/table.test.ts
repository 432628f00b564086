import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LayerFile } from '../../model/layer.ts'
import { FileTable } from './table.ts'

const types: LayerFile['type'][] = ['file', 'directory', 'symlink', 'hardlink', 'character', 'block', 'fifo']
const part = fc.oneof(fc.constantFrom('a', 'b', 'ü', '日本', 'x'.repeat(200)), fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }))
const number = fc.oneof(fc.constantFrom(0, 1, -1, 2 ** 40), fc.maxSafeInteger())
const files = fc
  .array(
    fc.record({
      path: fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.map((text) => text.replaceAll('/', '_')).join('/')),
      type: fc.constantFrom(...types),
      mode: fc.nat(0o7777),
      uid: number,
      gid: number,
      sizeBytes: fc.maxSafeNat(),
      mtime: number,
      text: fc.string({ unit: 'binary', maxLength: 300 }),
      sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    }),
    { maxLength: 60 },
  )
  .map((rows) => rows.map(asFile))

function asFile({ text, sha256, ...rest }: Omit<LayerFile, 'link' | 'sha256'> & { text: string; sha256: Uint8Array }): LayerFile {
  if (rest.type === 'symlink' || rest.type === 'hardlink') return { ...rest, link: text }
  return rest.type === 'file' ? { ...rest, sha256: Buffer.from(sha256).toString('hex') } : rest
}

test('columns give back the files that they were given, in turn, and find the newest of each path', () => {
  fc.assert(
    fc.property(files, (given) => {
      const table = FileTable.of(given)
      assert.deepEqual([...table], given)
      assert.deepEqual(JSON.parse(JSON.stringify(table)), JSON.parse(JSON.stringify(given)))
      assert.deepEqual(
        [...table.outlines()],
        given.map(({ path, type, sizeBytes, link }) => ({ path, type, sizeBytes, ...(link !== undefined && { link }) })),
      )
      for (const [row, { path }] of given.entries()) {
        const newest = given.findLastIndex((other) => other.path === path)
        assert.equal(table.find(path), newest)
        assert.equal(table.isReplaced(row), row !== newest)
      }
      assert.equal(table.find('no such/path'), undefined)
    }),
    { seed: 6, numRuns: 200 },
  )
})

test('hashes of 700,000 files are not all in memory, and each is still there', () => {
  const at = (row: number) => ({ path: `${row}`, type: 'file', mode: 0, uid: 0, gid: 0, sizeBytes: 0, mtime: 0 }) as const
  const hashOf = (row: number) => row.toString(16).padStart(64, 'a')
  const table = new FileTable()
  const before = process.memoryUsage().arrayBuffers
  for (let row = 0; row < 700_000; row++) {
    table.add(at(row))
    if (row % 2 === 0) table.setSha256(row, hashOf(row))
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 700_000 * 80)
  for (const row of [0, 650_000, 2, 65_536, 65_538, 131_072, 524_288, 655_360, 699_998, 4]) assert.equal(table.sha256Of(row), hashOf(row))
  assert.equal(table.sha256Of(65_537), undefined)
  assert.throws(() => table.setSha256(1, hashOf(1)), /hash of row 1 comes after/)
})

test('what is left out is not among the files, and the rest keeps its place', () => {
  const plain = (path: string): LayerFile => ({ path, type: 'file', mode: 0, uid: 0, gid: 0, sizeBytes: 1, mtime: 0 })
  const table = FileTable.of(['a', 'b', 'c'].map(plain))
  table.leaveOut(1)
  table.leaveOut(1)
  assert.deepEqual([table.length, [...table].map(({ path }) => path)], [2, ['a', 'c']])
})

test('200,000 files over several segments come back whole, and cost 160 bytes each at most', () => {
  const at = (row: number): LayerFile => ({
    path: `data/${Math.floor(row / 300)}/${row}.txt`,
    type: 'file',
    mode: 0o644,
    uid: row % 7,
    gid: 0,
    sizeBytes: row * 3,
    mtime: 1_700_000_000 + row,
    sha256: row.toString(16).padStart(64, '0'),
  })
  const before = process.memoryUsage()
  const table = FileTable.of(
    (function* () {
      for (let row = 0; row < 200_000; row++) yield at(row)
    })(),
  )
  const after = process.memoryUsage()
  assert.ok(after.arrayBuffers - before.arrayBuffers < 200_000 * 160)
  let row = 0
  for (const file of table) assert.deepEqual(file, at(row++))
  assert.equal(row, 200_000)
  assert.equal(table.find('data/333/100000.txt'), 100_000)
})

test('a name that no column holds is refused', () => {
  const path = 'x'.repeat(1 << 21)
  assert.throws(() => new FileTable().add({ path, type: 'file', mode: 0, uid: 0, gid: 0, sizeBytes: 0, mtime: 0 }), RangeError)
})
