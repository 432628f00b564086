import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import type { ObjectStore } from './objects.ts'

/** What a test opens anew, as after a restart; and how it sees the store from outside. */
export interface ObjectWorld {
  /** A store over the same place, as another process would open it. */
  open(): Promise<ObjectStore>
  /** How many objects lie there, sealed or not. */
  count(): Promise<number>
}

/** The contract of `ObjectStore`, over any implementation. In: an empty place, by each call. */
export function objectsSuite(implementation: string, place: () => Promise<ObjectWorld>): void {
  describe(`objects in ${implementation}`, () => {
    test('what was appended and sealed is read, whole and in part', async () => {
      const store = await (await place()).open()
      const bytes = randomBytes(3_000_000)
      const key = await sealed(store, [bytes.subarray(0, 1), bytes.subarray(1, 1_500_000), Buffer.alloc(0), bytes.subarray(1_500_000)])
      assert.ok((await read(store, key)).equals(bytes))
      for (const [start, end] of [
        [0, 1],
        [0, 3_000_000],
        [2_999_999, 3_000_000],
        [1_000_000, 2_500_001],
        [5, 5],
      ] as const) {
        assert.ok((await read(store, key, { start, end })).equals(bytes.subarray(start, end)), `${start}-${end}`)
      }
      await store.close()
    })

    test('an empty object is an object', async () => {
      const store = await (await place()).open()
      const key = await sealed(store, [])
      assert.equal((await read(store, key)).length, 0)
      assert.equal((await read(store, key, { start: 0, end: 0 })).length, 0)
      await store.close()
    })

    test('keys are new each time, and one is made once', async () => {
      const store = await (await place()).open()
      const keys = Array.from({ length: 1000 }, () => store.newKey())
      assert.equal(new Set(keys).size, 1000)
      const [key = ''] = keys
      await (await store.create(key)).release()
      await assert.rejects(store.create(key))
      await store.close()
    })

    test('size and what each chunk was are told as they come', async () => {
      const store = await (await place()).open()
      const writer = await store.create(store.newKey())
      const seen: number[] = []
      await writer.append(chunks([Buffer.alloc(10), Buffer.alloc(2_000_000)]), (chunk) => seen.push(chunk.length))
      assert.deepEqual([seen, writer.size], [[10, 2_000_000], 2_000_010])
      await writer.append(chunks([Buffer.alloc(5)]))
      assert.equal(writer.size, 2_000_015)
      await writer.release()
      await store.close()
    })

    test('the digest is of all bytes so far: few or many, in one go, in pieces, and after a restart', async () => {
      const world = await place()
      const bytes = randomBytes(9_000_000)
      for (const ends of [[0], [5], [1_000_000, 2_097_152], [2_097_153], [700_000, 2_500_000, 2_500_001, 9_000_000]]) {
        const before = await world.open()
        const key = before.newKey()
        let writer = await before.create(key)
        let store = before
        let at = 0
        for (const [round, end] of ends.entries()) {
          await writer.append(chunks([bytes.subarray(at, end)]))
          at = end
          for (const algorithm of ['sha256', 'sha512', 'sha256'] as const)
            assert.equal(await writer.digest(algorithm), createHash(algorithm).update(bytes.subarray(0, end)).digest('hex'), `${end}`)
          if (round % 2 === 1) continue
          await writer.release()
          await store.close()
          store = await world.open()
          writer = await store.resume(key)
        }
        assert.equal(await writer.digest('sha256'), createHash('sha256').update(bytes.subarray(0, at)).digest('hex'))
        assert.ok(writer.intact)
        await writer.seal()
        await store.close()
      }
    })

    test('many at once have each their own digest', async () => {
      const store = await (await place()).open()
      await Promise.all(
        Array.from({ length: 12 }, async (_, at) => {
          const bytes = Buffer.alloc(2_500_000 + at * 100_000, randomBytes(1000))
          const writer = await store.create(store.newKey())
          await writer.append(chunks([bytes.subarray(0, 2_200_000), bytes.subarray(2_200_000)]))
          assert.equal(await writer.digest('sha256'), createHash('sha256').update(bytes).digest('hex'))
          await writer.seal()
        }),
      )
      await store.close()
    })

    test('after a restart it goes on where it was', async () => {
      const world = await place()
      const before = await world.open()
      const bytes = randomBytes(1_200_000)
      const key = before.newKey()
      const begun = await before.create(key)
      await begun.append(chunks([bytes.subarray(0, 700_000)]))
      await begun.release()
      await before.close()

      const store = await world.open()
      const writer = await store.resume(key)
      assert.equal(writer.size, 700_000)
      await writer.append(chunks([bytes.subarray(700_000)]))
      await writer.seal()
      assert.ok((await read(store, key)).equals(bytes))
      await store.close()
    })

    test('a source that breaks leaves what had come, and it can go on', async () => {
      const store = await (await place()).open()
      const key = store.newKey()
      const writer = await store.create(key)
      await assert.rejects(writer.append(breaking([Buffer.from('abc'), Buffer.from('def')])), /the line broke/)
      assert.equal(writer.size, 6)
      await writer.append(chunks([Buffer.from('ghi')]))
      await writer.seal()
      assert.equal((await read(store, key)).toString(), 'abcdefghi')
      await store.close()
    })

    test('who reads while it is removed reads to the end; who comes after is told', async () => {
      const store = await (await place()).open()
      const bytes = randomBytes(4_000_000)
      const key = await sealed(store, [bytes])
      const stream = await store.read(key)
      const parts: Buffer[] = []
      for await (const part of stream) {
        if (parts.length === 0) await store.remove(key)
        parts.push(part as Buffer)
      }
      assert.ok(Buffer.concat(parts).equals(bytes))
      await assert.rejects(store.read(key), { code: 'BLOB_UNKNOWN' })
      await store.close()
    })

    test('removing frees, sealed or not, and twice is once', async () => {
      const world = await place()
      const store = await world.open()
      const key = await sealed(store, [Buffer.from('x')])
      const writer = await store.create(store.newKey())
      await writer.append(chunks([Buffer.from('y')]))
      await writer.release()
      assert.equal(await world.count(), 2)
      for (const one of [key, key, writer.key]) await store.remove(one)
      assert.equal(await world.count(), 0)
      await assert.rejects(store.resume(writer.key), { code: 'BLOB_UPLOAD_UNKNOWN' })
      await store.close()
    })

    test('a range beyond the end is an error before the first byte', async () => {
      const store = await (await place()).open()
      const key = await sealed(store, [Buffer.from('four')])
      await assert.rejects(store.read(key, { start: 0, end: 5 }), { code: 'INTERNAL' })
      await store.close()
    })

    test('a reader that stops early leaves nothing open that keeps the store from closing', async () => {
      const store = await (await place()).open()
      const key = await sealed(store, [randomBytes(3_000_000)])
      for (let at = 0; at < 50; at++) {
        const stream = await store.read(key)
        stream.destroy()
      }
      assert.equal((await read(store, key)).length, 3_000_000)
      await store.close()
    })

    test('keys that are none of ours touch nothing', async () => {
      const store = await (await place()).open()
      for (const key of ['', '../../etc/passwd', 'a'.repeat(31), `${'a'.repeat(31)}/`, 'A'.repeat(32), `${'a'.repeat(32)}\0`]) {
        for (const use of [() => store.create(key), () => store.resume(key), () => store.read(key), () => store.remove(key)]) {
          await assert.rejects(async () => use(), { code: 'INTERNAL' }, JSON.stringify(key))
        }
      }
      await store.close()
    })
  })
}

export async function* chunks(parts: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* parts
}

export async function* breaking(parts: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* parts
  throw new Error('the line broke')
}

async function sealed(store: ObjectStore, parts: readonly Buffer[]): Promise<string> {
  const key = store.newKey()
  const writer = await store.create(key)
  await writer.append(chunks(parts))
  await writer.seal()
  return key
}

async function read(store: ObjectStore, key: string, range?: { start: number; end: number }): Promise<Buffer> {
  return Buffer.concat((await (await store.read(key, range)).toArray()) as Buffer[])
}
