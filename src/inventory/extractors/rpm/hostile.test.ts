// What no database should hold: each ends, in a problem that says where, and never in fewer packages without one.
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Fact } from '../../extractor.ts'
import { factsOf } from '../../testing/extract.ts'
import { rpm } from '../rpm.ts'
import { fixture } from './databases.testing.ts'
import { Header } from './header.ts'
import { PathBudget, packageOf } from './package.ts'

const path = 'var/lib/rpm/Packages'
const forms: [name: string, bytes: Buffer, packages: number, pageBytes: number][] = [
  ['sqlite', fixture('harbour.sqlite'), 6, 4096],
  ['bdb', fixture('harbour-little.bdb'), 6, 4096],
  ['bdb of small pages', fixture('harbour-big.bdb'), 6, 512],
  ['bdb of another program', fixture('libuuid.bdb'), 1, 4096],
  ['ndb', fixture('sle15-bci.ndb'), 35, 4096],
]

function problemsIn(facts: Fact[]): string[] {
  return facts.flatMap((fact) => ('problem' in fact ? [fact.problem] : []))
}

function count(facts: Fact[]): number {
  return facts.filter((fact) => 'package' in fact).length
}

for (const [name, bytes, packages, pageBytes] of forms) {
  test(`${name}: cut at every page, it has all its packages or a problem`, () => {
    for (let end = 1; end * pageBytes < bytes.length; end++) {
      for (const cut of bytes.length > 1_000_000 ? [end * pageBytes] : [end * pageBytes, end * pageBytes - 1, end * pageBytes + 13]) {
        const facts = factsOf(rpm, path, bytes.subarray(0, cut))
        assert.ok(problemsIn(facts).length > 0 || count(facts) === packages, `${cut} bytes: ${count(facts)} packages, no problem`)
      }
    }
  })

  test(`${name}: any bytes changed, it ends, and what it gives can be printed`, () => {
    const change = fc.tuple(fc.nat(), fc.nat(255), fc.boolean())
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), (changes) => {
        const hurt = Buffer.from(bytes)
        // Half of the changes hit the head of a page, where the numbers are that lead on.
        for (const [at, value, inHead] of changes) {
          const place = at % hurt.length
          hurt[inHead ? place - (place % pageBytes) + (place % 40) : place] = value
        }
        for (const fact of factsOf(rpm, path, hurt.subarray(0, bytes.length))) {
          if ('problem' in fact) assert.ok(fact.problem.length < 1200)
          if (!('package' in fact)) continue
          for (const text of [fact.package.name, fact.package.version]) assert.ok(text.isWellFormed() && !/[\s\0]/.test(text))
        }
      }),
      { numRuns: bytes.length > 1_000_000 ? 40 : 300 },
    )
  })
}

test('bdb: chains that go in a circle, meet, or lead out of the file', () => {
  const bytes = fixture('harbour-little.bdb')
  const overflow = pagesOf(bytes, 4096).filter((page) => page[25] === 7)
  assert.ok(overflow.length >= 3)
  const numberOf = (page: Buffer | undefined): number => page?.readUInt32LE(8) ?? 0
  const led = (next: (page: Buffer) => number): string => {
    const hurt = Buffer.from(bytes)
    for (const page of pagesOf(hurt, 4096)) if (page[25] === 7) page.writeUInt32LE(next(page), 16)
    return problemsIn(factsOf(rpm, path, hurt)).join('\n')
  }
  assert.match(led(numberOf), /used twice|is in a chain, and has/)
  assert.match(
    led(() => numberOf(overflow[0])),
    /used twice|is in a chain, and has/,
  )
  assert.match(
    led(() => 0xffffffff),
    /page 4294967295 is none of its/,
  )
  assert.match(
    led(() => 1),
    /page 1 is in a chain, and of type/,
  )
})

test('bdb: counts and sizes that no file has', () => {
  const hurt = (change: (bytes: Buffer) => void): string => {
    const bytes = fixture('harbour-little.bdb')
    change(bytes)
    return problemsIn(factsOf(rpm, path, bytes)).join('\n')
  }
  const hashPage = (bytes: Buffer): Buffer => pagesOf(bytes, 4096).find((page) => page[25] === 13 || page[25] === 2) ?? bytes
  assert.match(
    hurt((bytes) => bytes.writeUInt32LE(0xffffffff, 32)),
    /is cut short/,
  )
  assert.match(
    hurt((bytes) => bytes.writeUInt32LE(1000, 20)),
    /pages of 1000 bytes/,
  )
  assert.match(
    hurt((bytes) => bytes.writeUInt8(9, 25)),
    /page 0 is of type 9/,
  )
  assert.match(
    hurt((bytes) => bytes.writeUInt8(1, 24)),
    /encrypted/,
  )
  assert.match(
    hurt((bytes) => hashPage(bytes).writeUInt16LE(0xfffe, 20)),
    /entries, more than fit/,
  )
  assert.match(
    hurt((bytes) => hashPage(bytes).writeUInt16LE(3, 20)),
    /a key without a value/,
  )
  assert.match(
    hurt((bytes) => hashPage(bytes).writeUInt16LE(0, 26)),
    /an entry outside of itself/,
  )
})

test('sqlite: trees and chains that go in a circle, and rows that no file has', () => {
  const hurt = (change: (bytes: Buffer) => void): string => {
    const bytes = fixture('harbour.sqlite')
    change(bytes)
    return problemsIn(factsOf(rpm, path, bytes)).join('\n')
  }
  const pages = pagesOf(fixture('harbour.sqlite'), 4096)
  const leaf = (pages[rootOfPackages() - 1]?.readUInt32BE(8) ?? 0) - 1
  assert.equal(pages[leaf]?.[0], 13)
  // The page becomes an inner one, whose children are itself.
  const circle = (bytes: Buffer, child: number): void => {
    const page = bytes.subarray(leaf * 4096, (leaf + 1) * 4096)
    page.fill(0)
    page[0] = 5
    page.writeUInt32BE(child, 8)
  }
  assert.match(
    hurt((bytes) => circle(bytes, leaf + 1)),
    /used twice/,
  )
  assert.match(
    hurt((bytes) => circle(bytes, 0x7fffffff)),
    /page 2147483647 is none of its/,
  )
  assert.match(
    hurt((bytes) => bytes.writeUInt8(2, leaf * 4096)),
    /of type 2, not of a table/,
  )
  assert.match(
    hurt((bytes) => bytes.writeUInt16BE(0xffff, leaf * 4096 + 3)),
    /cells, more than fit/,
  )
  assert.match(
    hurt((bytes) => bytes.writeUInt16BE(0, leaf * 4096 + 8)),
    /a cell outside of itself/,
  )
  assert.match(
    hurt((bytes) => bytes.writeUInt16BE(3, 16)),
    /pages of 3 bytes/,
  )
  assert.match(
    // Old copies of a row stay where they were.
    hurt((bytes) => {
      for (let at = 0; (at = bytes.indexOf('tablePackages', at)) >= 0; at++) bytes.write('Pickages', at + 5)
    }),
    /no table Packages/,
  )
  const row = pages[leaf]?.readUInt16BE(8) ?? 0
  assert.match(
    hurt((bytes) => bytes.fill(0xff, leaf * 4096 + row, leaf * 4096 + row + 8)),
    /more than the file has/,
  )
})

test('ndb: slots that lead nowhere, or all to one package', () => {
  const hurt = (change: (bytes: Buffer) => void): string => {
    const bytes = fixture('sle15-bci.ndb')
    change(bytes)
    return problemsIn(factsOf(rpm, path, bytes)).join('\n')
  }
  const first = 32
  assert.match(
    hurt((bytes) => bytes.writeUInt32LE(0xffffffff, 12)),
    /is cut short: its slots/,
  )
  assert.match(
    hurt((bytes) => bytes.writeUInt32LE(0, 12)),
    /is cut short/,
  )
  assert.match(
    hurt((bytes) => bytes.writeUInt32LE(1, 4)),
    /version 1 of its form/,
  )
  assert.match(
    hurt((bytes) => bytes.write('Spot', first)),
    /slot 2 is none/,
  )
  assert.match(
    hurt((bytes) => bytes.writeUInt32LE(0xffffffff, first + 8)),
    /outside of the file/,
  )
  assert.match(
    hurt((bytes) => bytes.writeUInt32LE(0xffffffff, first + 12)),
    /blocks that another has/,
  )
  assert.match(
    hurt((bytes) => bytes.writeUInt32LE(77, first + 4)),
    /where its package is not/,
  )
  const same = (bytes: Buffer): void => {
    for (let at = first + 16; at < 4096; at += 16) bytes.copy(bytes, at, first, first + 16)
  }
  assert.match(hurt(same), /blocks that another has|^$/)
})

test('a header with counts, sizes, offsets and types that do not fit', () => {
  const cases: [bytes: Buffer, problem: RegExp][] = [
    [Buffer.alloc(4), /a header of 4 bytes/],
    [Buffer.alloc(64), /a header of 0 tags/],
    [headerOf([[1000, 6, 0, 1]], 'a\0', { tags: 70_000 }), /a header of 70000 tags/],
    [headerOf([[1000, 6, 0, 1]], 'a\0', { dataBytes: 0x7fffffff }), /a header with 2147483647 bytes/],
    [headerOf([[1000, 6, 0, 1]], 'a\0', { dataBytes: 1000 }), /that it has|says it has/],
    [headerOf([[1000, 6, 0, 1]], 'a'), /tag 1000 has a text that does not end/],
    [headerOf([[1000, 6, 7, 1]], 'a\0'), /tag 1000 lies outside/],
    [headerOf([[1000, 4, 0, 1]], 'a\0\0\0'), /tag 1000 is of type 4/],
    [headerOf([[1001, 6, 0, 1]], 'a\0'), /without a name/],
    [headerOf([[1000, 6, 0, 1]], 'a b\0'), /without a name/],
    [headerOf([[1000, 6, 0, 1]], 'a\0'), /no version and release/],
    [named([1003, 4, 0, 0x40000000]), /tag 1003 has 1073741824 numbers/],
    [named([1117, 8, 0, 0xffffffff], [1116, 4, 0, 1], [1118, 8, 0, 1]), /tag 1117 has a text that does not end|is in no folder/],
    [named([1117, 8, 0, 2], [1118, 8, 0, 1]), /file 1 is in no folder/],
  ]
  for (const [bytes, problem] of cases) {
    assert.throws(() => packageOf(new Header(bytes), new PathBudget(1000)), { name: 'RangeError', message: problem })
  }
})

test('few bytes do not become many paths', () => {
  const folder = `/${'x'.repeat(50_000)}/\0`
  const names = 'a\0'.repeat(20_000)
  const indexes = Buffer.alloc(4 * 20_000)
  const data = Buffer.concat([indexes, Buffer.from(`n\0${folder}${names}`)])
  const at = indexes.length
  const bytes = headerOf(
    [
      [1000, 6, at, 1],
      [1001, 6, at, 1],
      [1002, 6, at, 1],
      [1116, 4, 0, 20_000],
      [1117, 8, at + 2 + folder.length, 20_000],
      [1118, 8, at + 2, 1],
    ],
    data,
  )
  assert.throws(() => packageOf(new Header(bytes), new PathBudget(10_000_000)), { message: /names more files than are kept/ })
})

test('a header of any bytes gives a package or a RangeError', () => {
  const sample = named([1044, 6, 0, 1], [1117, 8, 0, 1], [1116, 4, 4, 1], [1118, 8, 0, 1])
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 12 }), fc.option(fc.nat()), (changes, cut) => {
      const bytes = Buffer.from(sample)
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      try {
        packageOf(new Header(cut === null ? bytes : bytes.subarray(0, cut % bytes.length)), new PathBudget(10_000))
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error))
      }
    }),
    { numRuns: 3000 },
  )
})

/** By SQLite itself. In memory there is no log, so the head must not ask for one. */
function rootOfPackages(): number {
  const bytes = fixture('harbour.sqlite').fill(1, 18, 20)
  using database = new DatabaseSync(':memory:')
  database.deserialize(bytes)
  const row = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'Packages'").get()
  return Number(row?.['rootpage'])
}

type Tag = [tag: number, type: number, offset: number, count: number]

function headerOf(tags: Tag[], data: string | Buffer, claims: { tags?: number; dataBytes?: number } = {}): Buffer {
  const bytes = Buffer.from(data)
  const head = Buffer.alloc(8 + 16 * tags.length)
  head.writeUInt32BE(claims.tags ?? tags.length, 0)
  head.writeUInt32BE(claims.dataBytes ?? bytes.length, 4)
  for (const [index, tag] of tags.entries()) for (const [at, value] of tag.entries()) head.writeUInt32BE(value, 8 + 16 * index + 4 * at)
  return Buffer.concat([head, bytes])
}

/** A header with a name, a version and a release, and further tags over the same data. */
function named(...more: Tag[]): Buffer {
  const first: Tag[] = [
    [1000, 6, 0, 1],
    [1001, 6, 0, 1],
    [1002, 6, 0, 1],
  ]
  return headerOf([...first, ...more], 'abc\0\0\0\0\0')
}

function pagesOf(bytes: Buffer, pageBytes: number): Buffer[] {
  return Array.from({ length: bytes.length / pageBytes }, (_, at) => bytes.subarray(at * pageBytes, (at + 1) * pageBytes))
}
