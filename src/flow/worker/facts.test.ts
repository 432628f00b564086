import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { layerOf, symlink } from '../../inventory/testing/tars.ts'
import { packFacts, unpackFacts } from './facts.ts'

const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown

test('facts come back as they were stored, names with every kind of line end among them', async () => {
  const odd = ['a\nb', 'a\u2028b', 'a\rb', 'ü'.repeat(90)].map((name): [string, string] => [name, name])
  const facts = await layerOf([
    ...odd,
    symlink('l', 'a'),
    ['var/lib/dpkg/status', 'Package: a\nStatus: install ok installed\nVersion: 1\n\n'],
    '.wh.x',
  ])
  assert.equal(facts.files.length, 6)
  assert.deepEqual(plain(await unpackFacts(await packFacts(facts))), plain(facts))
})

test('100,000 files are stored in lines, none of which is long', async () => {
  const facts = await layerOf(['a'])
  const [file] = [...facts.files]
  assert.ok(file)
  const files = Array.from({ length: 100_000 }, (_, at) => ({ ...file, path: `folder/${at}` }))
  const stored = await packFacts({ ...facts, files })
  const lines = zstdDecompressSync(stored).toString().split('\n')
  assert.ok(lines.length > 20 && lines.every((line) => line.length < 2_000_000))
  assert.deepEqual(plain((await unpackFacts(stored)).files), plain(files))
})

test('what was cut, what holds no facts and what was stored in one text is an error, never a layer without files', async () => {
  const facts = await layerOf(['a'])
  const stored = await packFacts(facts)
  await assert.rejects(unpackFacts(stored.subarray(0, -20)))
  await assert.rejects(unpackFacts(zstdCompressSync(zstdDecompressSync(stored).subarray(0, -1))), /middle of a line/)
  await assert.rejects(unpackFacts(zstdCompressSync(Buffer.from('{}\n'))), /no diffID/)
  await assert.rejects(unpackFacts(zstdCompressSync(Buffer.from(`${JSON.stringify(facts)}\n`))), /one text/)
})
