import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { LazaretError } from '../kit/errors.ts'
import { documentsIn, type ReadLimits, readLimits } from './documents.ts'
import { temporaryFolder, zipOf } from './test-support.ts'

async function read(paths: string[], limits: Partial<ReadLimits> = {}): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for await (const document of documentsIn(paths, { ...readLimits, ...limits })) {
    const chunks: Buffer[] = []
    for await (const chunk of document.bytes) chunks.push(chunk)
    found[document.name] = Buffer.concat(chunks).toString()
  }
  return found
}

function file(t: TestContext, name: string, bytes: Buffer): string {
  const path = join(temporaryFolder(t), name)
  writeFileSync(path, bytes)
  return path
}

const code =
  (expected: string) =>
  (error: unknown): boolean =>
    error instanceof LazaretError && error.code === expected

test('files are unfolded by what they hold, whatever they are called', async (t) => {
  const folder = temporaryFolder(t)
  const zip = zipOf([
    { name: '../../etc/a.json', bytes: Buffer.from('A') },
    { name: 'folder/', bytes: Buffer.alloc(0) },
    { name: 'C:\\b.json', bytes: Buffer.from('B') },
  ])
  mkdirSync(join(folder, 'sub'))
  writeFileSync(join(folder, 'plain'), 'P')
  writeFileSync(join(folder, 'sub/g.json'), gzipSync('G'))
  writeFileSync(join(folder, 'sub/s.txt'), zstdCompressSync(Buffer.from('S')))
  writeFileSync(join(folder, 'z.bin'), zip)
  writeFileSync(join(folder, 'zz.zst'), zstdCompressSync(zip))
  writeFileSync(join(folder, '.hidden'), 'H')
  assert.deepEqual(await read([folder]), {
    plain: 'P',
    'g.json': 'G',
    's.txt': 'S',
    'z.bin:../../etc/a.json': 'A',
    'z.bin:C:\\b.json': 'B',
    'zz.zst:../../etc/a.json': 'A',
    'zz.zst:C:\\b.json': 'B',
  })
})

test('bombs are stopped by what unfolds, not by what is claimed', async (t) => {
  const zeros = Buffer.alloc(80 * 1024 * 1024)
  for (const bytes of [gzipSync(zeros), zstdCompressSync(zeros), zipOf([{ name: 'a', bytes: zeros }])]) {
    await assert.rejects(read([file(t, 'bomb', bytes)], { ratio: 10 }), code('LIMIT_EXCEEDED'))
  }
  const many = zipOf(Array.from({ length: 4 }, (_, index) => ({ name: `${index}`, bytes: Buffer.alloc(1_000_000) })))
  await assert.rejects(read([file(t, 'many', many)], { fileBytes: 2_500_000 }), code('LIMIT_EXCEEDED'))
  await assert.rejects(read([file(t, 'many', many)], { entries: 3 }), code('LIMIT_EXCEEDED'))
  await assert.rejects(read([file(t, 'many', many)], { entryBytes: 999_999 }), code('LIMIT_EXCEEDED'))
  await assert.rejects(read([file(t, 'liar', zipOf([{ name: 'a', bytes: Buffer.alloc(1_000_000), claimedSize: 10 }]))]), code('UNREADABLE'))
})

test('damage is said, and no part of it passes for the whole', async (t) => {
  const noise = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7919) % 251))
  for (const whole of [gzipSync(noise), zstdCompressSync(noise), zipOf([{ name: 'a', bytes: noise }])]) {
    await assert.rejects(read([file(t, 'short', whole.subarray(0, whole.length - 20))]), code('UNREADABLE'))
  }
  await assert.rejects(read([join(temporaryFolder(t), 'nothing')]), code('INPUT_INVALID'))
})

test('no bytes of a zip make it throw anything but a LazaretError, or hang', async (t) => {
  const zip = zipOf([
    { name: 'a', bytes: Buffer.from('{"a":1}') },
    { name: 'b', bytes: Buffer.from('{"b":1}') },
  ])
  const folder = temporaryFolder(t)
  let number = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(zip.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), async (changes) => {
      const bytes = Buffer.from(zip)
      for (const [at, byte] of changes) bytes[at] = byte
      const path = join(folder, `${number++}`)
      writeFileSync(path, bytes)
      await read([path]).catch((error: unknown) => assert.ok(error instanceof LazaretError, String(error)))
    }),
    { numRuns: 200 },
  )
})
