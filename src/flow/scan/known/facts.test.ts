import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sha256 } from '../../../../test/support/content.ts'
import { parseDigest } from '../../../model/digest.ts'
import type { LayerFacts, LayerFile } from '../../../model/layer.ts'
import { factsOfLines, linesOfFacts } from './facts.ts'

const diffId = parseDigest(sha256(Buffer.from('a layer')))
assert.ok(diffId)
const facts: LayerFacts = {
  diffId,
  sizeBytes: 10_240,
  files: [],
  whiteouts: ['gone'],
  opaque: ['folder'],
  packages: [{ location: 'var/lib/dpkg/status', package: { kind: 'deb', name: 'bash', version: '5.2' } }],
  ownership: [{ location: 'var/lib/dpkg/info/bash.list', packageName: 'bash', paths: ['bin/bash'] }],
  releases: [{ location: 'etc/os-release', release: { id: 'debian', idLike: [] } }],
  unsupported: [],
  problems: [],
}

const fileOf: fc.Arbitrary<LayerFile> = fc.record(
  {
    path: fc.string({ unit: 'binary' }),
    type: fc.constantFrom('file', 'directory', 'symlink', 'hardlink', 'character', 'block', 'fifo'),
    mode: fc.nat(0o7777),
    uid: fc.nat(),
    gid: fc.nat(),
    sizeBytes: fc.maxSafeNat(),
    mtime: fc.integer(),
    link: fc.string({ unit: 'binary' }),
    sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
  },
  { requiredKeys: ['path', 'type', 'mode', 'uid', 'gid', 'sizeBytes', 'mtime'], noNullPrototype: true },
)

async function again(value: LayerFacts): Promise<LayerFacts> {
  return await factsOfLines(lines(linesOfFacts(value)))
}

async function* lines(some: Iterable<string>): AsyncGenerator<string> {
  for (const line of some) {
    assert.ok(!line.includes('\n'))
    yield line
  }
}

test('any facts of a layer come back as they were', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fileOf), async (files) => {
      const back = await again({ ...facts, files })
      assert.deepEqual({ ...back, files: [...back.files] }, { ...facts, files })
    }),
  )
})

test('files of many lines, and long names, come back in their order', async () => {
  const file = (path: string): LayerFile => ({ path, type: 'file', mode: 0o644, uid: 0, gid: 0, sizeBytes: 1, mtime: 0 })
  const many = Array.from({ length: 10_000 }, (_, at) => file(`a/${at}`))
  const long = Array.from({ length: 20 }, (_, at) => file(`${at}/${'x'.repeat(1_000_000)}`))
  const written = [...linesOfFacts({ ...facts, files: [...many, ...long] })]
  assert.ok(written.length > 6)
  for (const line of written) assert.ok(line.length < 8_000_000, String(line.length))
  const back = await factsOfLines(lines(written))
  assert.deepEqual(
    [...back.files].map(({ path }) => path),
    [...many, ...long].map(({ path }) => path),
  )
})

test('what is no facts is an error, never an empty layer', async () => {
  for (const text of [[], ['{}'], ['{"diffId":"sha256:short"}'], ['null'], ['{"diffId":']])
    await assert.rejects(factsOfLines(lines(text)), Error, text.join())
})
