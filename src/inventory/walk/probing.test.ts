// Probes through whole layers: other names of a file, files too large to keep, and layers that can't be read again.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { go } from '../extractors/go.ts'
import { packed } from '../extractors/packed.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { readLayer } from '../layer.ts'
import { squash } from '../squash.ts'
import { fixtureOf } from '../testing/probes.ts'
import { factsOf, hardLink, layerOf, tarOf } from '../testing/tars.ts'

const fixture = (name: string) => fixtureOf(new URL(`../extractors/go/fixtures/${name}.zst`, import.meta.url))
const old = fixture('go1.17-linux-amd64')
const program = fixture('go1.26-linux-amd64')
/** Its own bytes, and as many zeros as make it too large to be kept. */
const large = Buffer.concat([old, Buffer.alloc(20 * 1024 * 1024)])

test('a program of any name, in a layer that comes in pieces of any size', async () => {
  const tar = await tarOf([['srv/a', old], ['srv/b', program], 'srv/empty', ['srv/text', 'hello']])
  for (const pieceBytes of [tar.length, 700_001, 4096]) {
    const facts = await readLayer(Readable.from(piecesOf(tar, pieceBytes)), { extractors: [go] })
    assert.deepEqual(facts.problems, [])
    assert.deepEqual(countsOf(facts.packages), { 'srv/a': 5, 'srv/b': 8 })
  }
})

test('what a large program tells late of what went by early is read by reading the layer again', async () => {
  const facts = await layerOf(
    [
      ['srv/large', large],
      ['srv/b', program],
    ],
    { extractors: [go] },
  )
  assert.deepEqual(facts.problems, [])
  assert.deepEqual(countsOf(facts.packages), { 'srv/b': 8, 'srv/large': 5 })
})

test('a layer that can not be read again leaves a problem, not a gap', async () => {
  const tar = await tarOf([['srv/large', large]])
  const facts = await readLayer(Readable.from([tar]), { extractors: [go] })
  assert.deepEqual(facts.packages, [])
  assert.match(facts.problems.join(), /^srv\/large: is a program that the layer must be read again for/)
  const other = await tarOf([['srv/other', 'x']])
  const changed = await readLayer(Readable.from([tar]), { extractors: [go], reopen: () => Readable.from([other]) })
  assert.match(changed.problems.join(), /srv\/large: leads to bytes that were not there at the second reading/)
})

test('hard links tell the same, and the program counts once for as long as one name is left', async () => {
  const lower = await layerOf(
    [['bin/a', program], hardLink('bin/b', 'bin/a'), hardLink('bin/c', 'bin/b'), ['bin/large', large], hardLink('bin/d', 'bin/large')],
    {
      extractors: [go],
    },
  )
  assert.deepEqual(countsOf(lower.packages), { 'bin/a': 8, 'bin/b': 8, 'bin/c': 8, 'bin/large': 5, 'bin/d': 5 })
  assert.deepEqual(stdlibs([lower]), ['bin/a 1.26.8', 'bin/large 1.17.13'])
  const upper = await layerOf(['bin/.wh.a', 'bin/.wh.large'], { extractors: [go] })
  assert.deepEqual(stdlibs([lower, upper]), ['bin/b 1.26.8', 'bin/d 1.17.13'])
})

test('a program that a later layer removed, replaced or covered is gone', async () => {
  const lower = await layerOf(
    [
      ['opt/x/a', program],
      ['opt/y', program],
      ['opt/z', program],
      ['opt/w/a', program],
    ],
    { extractors: [go] },
  )
  const upper = await layerOf(['opt/.wh.z', ['opt/x', 'a file'], ['opt/y', 'a text'], 'opt/w/', 'opt/w/.wh..wh..opq'], { extractors: [go] })
  assert.equal(stdlibs([lower]).length, 4)
  assert.deepEqual(stdlibs([lower, upper]), [])
})

test('a file that is replaced within its layer says nothing', async () => {
  const facts = await layerOf(
    [
      ['srv/large', large],
      ['srv/large', 'text'],
      ['srv/b', program],
      ['srv/b', old],
    ],
    { extractors: [go] },
  )
  assert.deepEqual(countsOf(facts.packages), { 'srv/b': 5 })
})

test('a probe that throws, and one that never has enough, become problems of the file', async () => {
  const throwing = prober('throwing', () => {
    throw new Error('no')
  })
  const greedy = prober('greedy', () => ({ facts: [], again: { push: () => {}, finish: greedyFinish } }))
  const facts = await layerOf(
    [
      ['a', 'bytes'],
      ['b', Buffer.alloc(17 * 1024 * 1024)],
    ],
    { extractors: [throwing, greedy, packed] },
  )
  assert.deepEqual(facts.problems.toSorted(), [
    'a: greedy: it was read 4 times, and that was not enough',
    'a: throwing: no',
    'b: is a program that the layer must be read again for, and it can not be',
    'b: throwing: no',
  ])
})

test('a program of 200 MB is read without being held', async () => {
  const before = process.memoryUsage().rss
  const header = (await tarOf([['big', Buffer.alloc(0)]])).subarray(0, 512)
  const sizeBytes = 200 * 1024 * 1024
  const tar = async function* () {
    yield sized(header, sizeBytes)
    yield program
    const zeros = Buffer.alloc(1024 * 1024)
    for (let at = program.length; at < sizeBytes; at += zeros.length) yield zeros.subarray(0, Math.min(zeros.length, sizeBytes - at))
    yield Buffer.alloc(1024)
  }
  const facts = await readLayer(tar(), { extractors: [go], limits: { ratioFreeBytes: 1024 ** 3 } })
  assert.deepEqual(countsOf(facts.packages), { big: 8 })
  assert.ok(process.memoryUsage().rss - before < 100 * 1024 * 1024)
})

test('the same layer says the same again', async () => {
  const tar = await tarOf([['srv/large', large], hardLink('srv/link', 'srv/large')])
  assert.deepEqual(await factsOf(tar, { extractors: [go] }), await factsOf(tar, { extractors: [go] }))
})

function greedyFinish(): { facts: Fact[]; again: { push(): void; finish: typeof greedyFinish } } {
  return { facts: [], again: { push: () => {}, finish: greedyFinish } }
}

function prober(name: string, finish: () => ReturnType<NonNullable<ReturnType<NonNullable<Extractor['probe']>>>['finish']>): Extractor {
  return { name, version: 1, maxBytes: 0, wants: () => false, extract: () => [], probe: () => ({ push: () => {}, finish }) }
}

function* piecesOf(bytes: Buffer, pieceBytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

function countsOf(packages: { location: string }[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(packages, ({ location }) => location)].map(([location, some]) => [location, some.length]))
}

function stdlibs(layers: Parameters<typeof squash>[0]): string[] {
  return squash(layers)
    .packages.filter(({ name }) => name === 'stdlib')
    .map(({ location, version }) => `${location} ${version}`)
    .sort()
}

/** The header of a file of another size, its checksum made anew. */
function sized(header: Buffer, sizeBytes: number): Buffer {
  const block = Buffer.from(header)
  block.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  block.write('        ', 148, 'latin1')
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
    'latin1',
  )
  return block
}
