import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { scratch } from '../../../test/support/scratch.ts'
import { hashOfPart } from './hash.ts'

const stack = new AsyncDisposableStack()
const pieceBytes = 1024 * 1024
const bytes = randomBytes(4 * pieceBytes)
let path = ''
before(async () => {
  path = join(await scratch(stack, 'hash'), 'file')
  await writeFile(path, bytes)
})
after(() => stack.disposeAsync())

async function hashed(start: number, sizeBytes: number, algorithm: string): Promise<string> {
  await using file = await open(path)
  return await hashOfPart(file.fd, { start, sizeBytes }, algorithm)
}

test('any part of a file, of a piece or of many', async () => {
  for (const [start, size] of [0, 1, pieceBytes - 1, pieceBytes, pieceBytes + 1, 3 * pieceBytes + 7].map(
    (one, at) => [at * 513, one] as const,
  ))
    for (const algorithm of ['sha256', 'sha512']) {
      const wanted = createHash(algorithm)
        .update(bytes.subarray(start, start + size))
        .digest('hex')
      assert.equal(await hashed(start, size, algorithm), wanted, `${size} from ${start}`)
    }
})

test('a part that the file does not have is unreadable, not shorter', async () => {
  await assert.rejects(hashed(bytes.length - 10, 11, 'sha256'), { code: 'UNREADABLE' })
  await assert.rejects(hashed(bytes.length + 10, 1, 'sha256'), { code: 'UNREADABLE' })
})
