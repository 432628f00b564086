import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { LazaretError } from '../../kit/errors.ts'
import type { TarEntry } from './entry.ts'
import { TarReader } from './reader.ts'
import { tarEnd, tarHeader } from './write.ts'
import type { TarMember } from './write.ts'

interface GoCase {
  name: string
  base64: string
  fails: boolean
  entries: {
    name: string
    link: string
    type: string
    mode: number
    uid: number
    gid: number
    sizeBytes: number
    mtime: number
    sha256: string
  }[]
}

const goCases = JSON.parse(
  zstdDecompressSync(readFileSync(new URL('fixtures/go-archive-tar.json.zst', import.meta.url))).toString(),
) as GoCase[]

test(`the ${goCases.length} archives that Go tests with are read as Go reads them, in chunks of any size`, () => {
  assert.ok(goCases.length >= 35)
  for (const { name, base64, fails, entries } of goCases) {
    for (const chunkBytes of [64 * 1024, 511, 7]) {
      const found = readAll(Buffer.from(base64, 'base64'), chunkBytes)
      assert.equal(found.error !== undefined, fails, `${name}: ${found.error?.message}`)
      assert.deepEqual(found.entries.map(asGo), entries.map(asOurs), name)
    }
  }
})

test('what follows the end of the archive is not looked at', () => {
  const after = Buffer.concat([member({ path: 'kept' }), tarEnd(), member({ path: 'never' }), Buffer.alloc(100, 'x')])
  assert.deepEqual(namesIn(after), ['kept'])
})

test('a lone zero block before a header is an error, at the end it is not', () => {
  const zero = Buffer.alloc(512)
  assert.match(
    readAll(Buffer.concat([member({ path: 'a' }), zero, member({ path: 'b' })])).error?.message ?? '',
    /lone zero block.*at byte 1024/,
  )
  assert.deepEqual(namesIn(Buffer.concat([member({ path: 'a' }), zero])), ['a'])
  assert.deepEqual(namesIn(Buffer.alloc(0)), [])
})

test('a link that states a size has no bytes, and hides no entry', () => {
  const link = tarHeader({ path: 'l', flag: '2', link: 'x', mode: 0o777, uid: 0, gid: 0, mtime: 0, sizeBytes: 512 })
  assert.deepEqual(namesIn(Buffer.concat([link, member({ path: 'seen' }), tarEnd()])), ['l', 'seen'])
})

test('an archive cut short anywhere is an error that says where, save between two entries', () => {
  const whole = Buffer.concat([member({ path: 'a', sizeBytes: 1000 }), Buffer.alloc(1024, 'x'), tarEnd()])
  assert.equal(whole.length, 2560)
  for (let cut = 1; cut < whole.length; cut++) {
    const { error, entries } = readAll(whole.subarray(0, cut))
    assert.equal(entries.length, cut < 1512 ? 0 : 1, `at ${cut}`)
    if ((cut >= 1512 && cut <= 1536) || cut === 2048) assert.equal(error, undefined, `at ${cut}`)
    else assert.match(error?.message ?? '', /cut short inside .*at byte \d+/, `at ${cut}`)
  }
})

test('long, non-ASCII and large values survive writing and reading', () => {
  const path = fc.array(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter((text) => !/[/\0]/.test(text) && text.isWellFormed()),
    { minLength: 1, maxLength: 6 },
  )
  const number = fc.oneof(fc.nat(5000), fc.integer({ min: -(2 ** 40), max: 2 ** 40 }))
  fc.assert(
    fc.property(path, path, fc.nat(4095), number, number, number, (parts, link, mode, uid, gid, mtime) => {
      const written: TarMember = { path: parts.join('/'), flag: '2', link: link.join('/'), mode, uid, gid, mtime, sizeBytes: 0 }
      const {
        entries: [read],
      } = readAll(Buffer.concat([tarHeader(written), tarEnd()]))
      assert.deepEqual(
        [read?.name, read?.linkName, read?.mode, read?.uid, read?.gid, read?.mtime],
        [written.path, written.link, mode, uid, gid, mtime],
      )
    }),
  )
})

test('random and mutated bytes give entries or an UNREADABLE, whatever the chunks', () => {
  const sources = goCases.filter(({ base64 }) => base64.length < 30_000).map(({ base64 }) => Buffer.from(base64, 'base64'))
  const mutation = fc.record({
    source: fc.nat(sources.length - 1),
    changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
    cut: fc.nat(),
    fixed: fc.boolean(),
  })
  const mutated = mutation.map(({ source, changes, cut, fixed }) => {
    const bytes = Buffer.from(sources[source] as Buffer)
    for (const [at, value] of changes) bytes[at % bytes.length] = value
    if (fixed) fixChecksum(bytes)
    return cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes
  })
  fc.assert(
    fc.property(
      fc.oneof(
        mutated,
        fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
      ),
      fc.integer({ min: 1, max: 5000 }),
      (bytes, chunkBytes) => {
        const [whole, chunked] = [readAll(bytes), readAll(bytes, chunkBytes)]
        assert.ok(whole.error === undefined || whole.error.code === 'UNREADABLE' || whole.error.code === 'LIMIT_EXCEEDED')
        assert.deepEqual([chunked.entries, chunked.error?.message], [whole.entries, whole.error?.message])
      },
    ),
    { numRuns: 400 },
  )
})

type Read = TarEntry & { sha256: string }

/** Out: entries that were read to their end, and the error after them. Expands no sparse file past 64 MiB. */
function readAll(bytes: Buffer, chunkBytes = 64 * 1024): { entries: Read[]; error?: LazaretError } {
  const entries: Read[] = []
  let current: TarEntry
  let hash = createHash('sha256')
  let total = 0
  const reader = new TarReader({
    entry: (entry) => ((current = entry), (hash = createHash('sha256'))),
    data: (data) => {
      total += data.length
      if (total > 64 * 1024 * 1024) throw new LazaretError('LIMIT_EXCEEDED', 'too large for a test')
      hash.update(data)
    },
    end: () => entries.push({ ...current, sha256: hash.digest('hex') }),
  })
  try {
    for (let at = 0; at < bytes.length; at += chunkBytes) reader.push(bytes.subarray(at, at + chunkBytes))
    reader.finish()
    return { entries }
  } catch (error) {
    if (!(error instanceof LazaretError)) throw error
    return { entries, error }
  }
}

function namesIn(bytes: Buffer): string[] {
  const { entries, error } = readAll(bytes)
  assert.equal(error, undefined)
  return entries.map(({ name }) => name)
}

function asGo({ name, linkName, flag, type, mode, uid, gid, sizeBytes, mtime, sha256 }: Read) {
  const goType = type === 'directory' ? '5' : flag === '\0' ? '0' : flag
  return { name, link: linkName, type: goType, mode, uid, gid, sizeBytes, mtime, sha256 }
}

/** Go keeps names as bytes, of which JSON made U+FFFD where they are not UTF-8; and the size that a link or folder states. */
function asOurs(entry: GoCase['entries'][number]): GoCase['entries'][number] {
  const name = entry.name.replace('hi\ufffd\ufffd\ufffd\ufffdbye', 'hi\\x80\\x81\\x82\\x83bye')
  return { ...entry, name, sizeBytes: /^[1-6]$/.test(entry.type) ? 0 : entry.sizeBytes }
}

function member({ path, sizeBytes = 0 }: { path: string; sizeBytes?: number }): Buffer {
  return tarHeader({ path, flag: '0', mode: 0o644, uid: 0, gid: 0, mtime: 0, sizeBytes })
}

function fixChecksum(bytes: Buffer): void {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (bytes.toString('latin1', at + 257, at + 262) !== 'ustar') continue
    bytes.fill(' ', at + 148, at + 156)
    const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0)
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148)
  }
}
