import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { open, readdir, stat, truncate, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { scratch } from '../../../test/support/scratch.ts'
import { openFileObjects } from './files.ts'
import { chunks, objectsSuite, type ObjectWorld } from './suite.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const folder = await scratch(stack, 'objects')
let places = 0

objectsSuite('a folder', async () => worldIn(join(folder, String(++places))))

test('nobody else on the machine may read them', async () => {
  const place = join(folder, 'modes')
  const store = await openFileObjects(place)
  const writer = await store.create(store.newKey())
  await writer.seal()
  const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
  assert.equal(await mode(place), '700')
  assert.equal(await mode(join(place, writer.key.slice(0, 2))), '700')
  assert.equal(await mode(join(place, writer.key.slice(0, 2), writer.key)), '600')
})

test('a file that was cut short on disk is an error that says so, and no endless answer', async () => {
  const store = await openFileObjects(join(folder, 'cut'))
  const writer = await store.create(store.newKey())
  await writer.append(chunks([Buffer.alloc(1000)]))
  await writer.seal()
  await truncate(join(folder, 'cut', writer.key.slice(0, 2), writer.key), 900)
  await assert.rejects(store.read(writer.key, { start: 0, end: 1000 }), { code: 'INTERNAL', message: /900 bytes on disk, where 1000/ })
})

test('what another writer left in the file is seen when it is sealed', async () => {
  const store = await openFileObjects(join(folder, 'two'))
  const writer = await store.create(store.newKey())
  await writer.append(chunks([Buffer.from('short')]))
  await writeFile(join(folder, 'two', writer.key.slice(0, 2), writer.key), 'somewhat longer', { flag: 'r+' })
  await assert.rejects(writer.seal(), { code: 'INTERNAL', message: /15 bytes are on disk, where 5/ })
})

test('a write that takes only a part of what it was given is gone on with', async (context) => {
  const handle = await open(join(folder, 'any'), 'w')
  const prototype = Object.getPrototypeOf(handle) as FileHandle
  await handle.close()
  const whole = prototype.writev
  context.mock.method(prototype, 'writev', function (this: FileHandle, pieces: Buffer[], position: number) {
    const first = pieces.find((piece) => piece.length > 0) ?? Buffer.alloc(0)
    return whole.call(this, [first.subarray(0, Math.ceil(first.length / 3))], position)
  })
  const store = await openFileObjects(join(folder, 'short'))
  const writer = await store.create(store.newKey())
  const bytes = randomBytes(300_000)
  await writer.append(chunks([bytes.subarray(0, 7), Buffer.alloc(0), bytes.subarray(7, 200_000), bytes.subarray(200_000)]))
  await writer.seal()
  assert.ok(Buffer.concat((await (await store.read(writer.key)).toArray()) as Buffer[]).equals(bytes))
})

function worldIn(place: string): ObjectWorld {
  return {
    open: () => openFileObjects(place),
    async count() {
      const entries = await readdir(place, { recursive: true, withFileTypes: true })
      return entries.filter((entry) => entry.isFile()).length
    },
  }
}

test('bytes that were lost while an upload rested are told, and not sealed by whoever opens the file next', async (t) => {
  const store = await openFileObjects(join(folder, 'lost'))
  const writer = await store.create(store.newKey())
  const probe = await open(join(folder, 'lost', writer.key.slice(0, 2), writer.key))
  const handles = Object.getPrototypeOf(probe) as FileHandle
  await probe.close()
  t.mock.method(handles, 'datasync', async () => {
    throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
  })
  await writer.append(chunks([Buffer.alloc(33 << 20)]))
  await assert.rejects(writer.release(), { code: 'EIO' })
  await store.close()
})

test('pieces of a byte are written before they fill the memory', async () => {
  const store = await openFileObjects(join(folder, 'pieces'))
  const writer = await store.create(store.newKey())
  const sizes: number[] = []
  async function* bytes(): AsyncGenerator<Buffer> {
    for (let at = 0; at < 5000; at++) {
      yield Buffer.from([at % 256])
      sizes.push(writer.size)
    }
  }
  await writer.append(bytes())
  assert.equal(writer.size, 5000)
  assert.ok(
    sizes.some((size) => size > 0),
    'some were written before the end',
  )
  await writer.seal()
  await store.close()
})
