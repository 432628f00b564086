import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { contentOf } from '../../content/content.ts'
import type { Fact } from '../../extractor.ts'
import { layerOf } from '../../testing/tars.ts'
import { zipOf } from '../../testing/zips.ts'
import type { ZipMember } from '../../testing/zips.ts'
import { java } from '../java.ts'
import { factsOfArchive } from './archive.ts'
import { Cost, javaLimits, LimitError } from './limits.ts'
import { parseManifest } from './manifest.ts'
import { parsePom } from './pom.ts'
import { parseProperties } from './properties.ts'

const mib = 1024 * 1024
const pom: ZipMember = ['META-INF/maven/g/a/pom.properties', 'groupId=g\nartifactId=a\nversion=1\n']

async function factsOf(bytes: Buffer): Promise<Fact[]> {
  return await Array.fromAsync(factsOfArchive(contentOf(bytes), 'app/x.jar'))
}

const problemsOf = (facts: Fact[]) => facts.flatMap((fact) => ('problem' in fact ? [fact.problem] : []))
const packagesOf = (facts: Fact[]) => facts.flatMap((fact) => ('package' in fact ? [fact.package] : []))

test('a jar in a jar, 50 deep: read as deep as is allowed, then named', async () => {
  let jar = zipOf([pom])
  for (let depth = 0; depth < 50; depth++) jar = zipOf([pom, [`${depth}.jar`, jar]])
  const facts = await factsOf(jar)
  assert.equal(packagesOf(facts).length, javaLimits.depth + 1)
  assert.deepEqual(problemsOf(facts), [
    '49.jar!/48.jar!/47.jar!/46.jar!/45.jar!/44.jar!/43.jar!/42.jar!/41.jar is an archive in 9 others, more than the 8 that are read',
  ])
})

test('jars that unfold to too much are given up, and what was seen before is said', async () => {
  const zeros = Buffer.alloc(60 * mib)
  const bomb = zipOf([pom, ...Array.from({ length: 6 }, (_, index): ZipMember => [`${index}.jar`, zeros])])
  assert.ok(bomb.length < mib)
  const facts = await factsOf(bomb)
  assert.equal(packagesOf(facts).length, 1)
  assert.match(problemsOf(facts).join(), /^\d\.jar makes more than \d+ bytes of it to be read: a decompression bomb$/)
})

test('entries that all lead to the same bytes are no way around it', async () => {
  const inner = zipOf([['A.class', Buffer.alloc(4 * mib, 'x'), 'stored']])
  const zip = zipOf([['a.jar', inner, 'stored']])
  const start = zip.lastIndexOf('PK\u0001\u0002')
  const end = zip.subarray(-22)
  const entries = Buffer.concat(Array.from({ length: 10_000 }, () => zip.subarray(start, -22)))
  end.writeUInt32LE(entries.length, 12)
  const facts = await factsOf(Buffer.concat([zip.subarray(0, start), entries, end]))
  assert.match(problemsOf(facts).join(), /^a\.jar makes more than \d+ bytes of it to be read: a decompression bomb$/)
  assert.ok(facts.length < 200)
})

test('a bomb in a descriptor is told from a descriptor', async () => {
  const facts = await factsOf(
    zipOf([
      ['META-INF/maven/g/a/pom.properties', Buffer.alloc(javaLimits.propertiesBytes + 1)],
      ['lib/b.jar', zipOf([pom])],
    ]),
  )
  assert.deepEqual(problemsOf(facts), ['META-INF/maven/g/a/pom.properties unfolds to more than 262144 bytes'])
  assert.equal(packagesOf(facts).length, 1, 'the rest is read')
})

test('counts are bounded', () => {
  const cost = new Cost(0)
  assert.throws(() => Array.from({ length: javaLimits.archives + 1 }, () => cost.archive(1)), LimitError)
  assert.throws(() => {
    for (let entry = 0; entry <= javaLimits.entries; entry++) cost.entry()
  }, LimitError)
})

test('one broken jar in another costs only itself', async () => {
  const encrypted = zipOf([pom])
  for (const at of [6, encrypted.lastIndexOf('PK\u0001\u0002') + 8]) encrypted.writeUInt16LE(1, at)
  const facts = await factsOf(
    zipOf([
      ['cut.jar', zipOf([pom]).subarray(0, 50)],
      ['locked.jar', encrypted],
      ['text.jar', 'none'],
      ['good.jar', zipOf([pom])],
    ]),
  )
  assert.deepEqual(problemsOf(facts), [
    'cut.jar is cut short: it begins as a zip and has no end record',
    'locked.jar META-INF/maven/g/a/pom.properties is encrypted',
  ])
  assert.deepEqual(packagesOf(facts), [{ kind: 'maven', name: 'g:a', version: '1', within: 'good.jar' }])
})

test('a jar of many megabytes is read from where it was laid down, and so is one in it', async () => {
  const noise = Buffer.alloc(10 * mib)
  for (let at = 0; at < noise.length; at += 4) noise.writeUInt32LE((at * 2654435761) >>> 0, at)
  const inner = zipOf([['noise', noise, 'stored'], pom])
  const outer = zipOf([
    ['stored.jar', inner, 'stored'],
    ['deflated.jar', inner],
    ['org/A.class', 'x'],
  ])
  const facts = await layerOf(
    [
      ['app/x.jar', outer],
      ['app/y.jar', outer],
    ],
    { extractors: [java] },
  )
  assert.deepEqual(facts.problems, [])
  assert.deepEqual(
    facts.packages.map(({ location, package: { within } }) => `${location}!/${within}`),
    ['app/x.jar!/stored.jar', 'app/x.jar!/deflated.jar', 'app/y.jar!/stored.jar', 'app/y.jar!/deflated.jar'],
  )
  assert.equal(new Set(facts.unsupported.map(({ sha1 }) => sha1)).size, 1)
})

test('a layer can be stopped in the middle of a jar', async () => {
  const jar = zipOf(Array.from({ length: 500 }, (_, index): ZipMember => [`${index}.jar`, zipOf([pom])]))
  const stop = new AbortController()
  const stopping = { ...java, extract: (file: Parameters<typeof java.extract>[0]) => stopAfter(java.extract(file), 10) }
  async function* stopAfter(facts: AsyncGenerator<Fact>, count: number): AsyncGenerator<Fact> {
    let seen = 0
    for await (const fact of facts) {
      if (++seen === count) stop.abort()
      yield fact
    }
    assert.fail('it was read to its end')
  }
  await assert.rejects(layerOf([['x.jar', jar]], { extractors: [stopping], signal: stop.signal }), { code: 'UNAVAILABLE' })
})

test('any change to any byte of a jar gives facts that can be stored', async () => {
  const sample = readFileSync(new URL('fixtures/all.ear', import.meta.url))
  const change = fc.tuple(fc.nat(sample.length - 1), fc.nat(255))
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), fc.option(fc.nat(sample.length)), async (changes, cut) => {
      const bytes = Buffer.from(cut === null ? sample : sample.subarray(0, cut))
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
      for (const fact of await factsOf(bytes)) assertFit(fact)
    }),
    { numRuns: 1000 },
  )
})

test('descriptors of any text are read, and quickly', () => {
  const any = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc
      .array(fc.constantFrom('<', '>', '/', 'project', 'version', '${', '}', '<!--', '=', '\\', '\n', ':', ' '), { maxLength: 60 })
      .map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(any, (text) => {
      for (const parse of [parsePom, parseManifest, parseProperties]) parse(Buffer.from(text))
    }),
    { numRuns: 1000 },
  )
  const start = performance.now()
  for (const piece of ['<a>', '<', '<!--', '\\', '\\\n', 'a=', 'a\n', ' \n', 'a: b\n', '<version>${version}</version>', '${']) {
    for (const parse of [parsePom, parseManifest]) parse(Buffer.alloc(javaLimits.descriptorBytes, piece))
    parseProperties(Buffer.alloc(javaLimits.propertiesBytes, piece))
  }
  assert.ok(performance.now() - start < 30_000)
})

function assertFit(fact: Fact): void {
  if ('problem' in fact) assert.ok(fact.problem.length < 3000 && fact.problem.isWellFormed())
  const texts = 'package' in fact ? [fact.package.name, fact.package.version] : []
  for (const text of texts) assert.match(text, /^[!-~]{1,1024}$/)
  const shown = 'package' in fact ? [fact.package.within] : 'unsupported' in fact ? [fact.unsupported.within, fact.unsupported.name] : []
  for (const text of shown) assert.ok(text === undefined || (text.isWellFormed() && !/\p{Cc}/u.test(text)))
}

test('components that nobody knows are counted with the packages of a layer', async () => {
  const jar = zipOf([['A.class', 'x']])
  const members = Array.from({ length: 11 }, (_, index): [string, Buffer] => [`${index}.jar`, jar])
  await assert.rejects(layerOf(members, { extractors: [java], limits: { packages: 10 } }), { code: 'LIMIT_EXCEEDED' })
  assert.equal((await layerOf(members, { extractors: [java], limits: { packages: 11 } })).unsupported.length, 11)
})
