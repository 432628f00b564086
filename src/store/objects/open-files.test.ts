import assert from 'node:assert/strict'
import { readdirSync, readlinkSync } from 'node:fs'
import { rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { eventually } from '../../../test/protocol/support/eventually.ts'
import { scratch } from '../../../test/support/scratch.ts'
import { createOpenFiles } from './open-files.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const folder = await scratch(stack, 'open-files')

/** Out: the files of the folder that this process has open, removed ones too. */
function openHere(): string[] {
  return readdirSync('/proc/self/fd')
    .map((fd) => linkOf(`/proc/self/fd/${fd}`))
    .filter((path) => path.startsWith(folder))
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '' // the listing's own
    throw error
  }
}

async function fileWith(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

test('readers of one file share it, it stays open for the next, and each sees its size of that moment', async () => {
  const files = createOpenFiles()
  const path = await fileWith('shared', 'twelve bytes')
  const [one, two] = [await files.open(path), await files.open(path)]
  assert.equal(openHere().length, 1)
  const buffer = Buffer.alloc(12)
  assert.equal((await two.read(buffer, 0, 12, 0)).bytesRead, 12)
  assert.equal(buffer.toString(), 'twelve bytes')
  await one.close()
  await one.close()
  assert.equal((await two.read(buffer, 0, 12, 0)).bytesRead, 12, 'what was closed twice by one is open for the other')
  await two.close()
  assert.equal(openHere().length, 1)
  await truncate(path, 3)
  const three = await files.open(path)
  assert.equal(three.size, 3)
  await files.close()
  assert.equal((await three.read(buffer, 0, 12, 0)).bytesRead, 3, 'it closes with its last user')
  await three.close()
  assert.deepEqual(openHere(), [])
})

test('a file that is removed is gone for who comes next, and its room is free once nobody reads it', async () => {
  const files = createOpenFiles()
  const path = await fileWith('removed', 'x')
  await (await files.open(path)).close()
  await rm(path)
  await assert.rejects(files.open(path), { code: 'ENOENT' })
  const told = await fileWith('told', 'x')
  const reader = await files.open(told)
  await rm(told)
  await files.forget(told)
  assert.equal((await reader.read(Buffer.alloc(1), 0, 1, 0)).bytesRead, 1)
  await reader.close()
  assert.deepEqual(openHere(), [])
  await files.close()
})

test('no more than 64 stay open', async () => {
  const files = createOpenFiles()
  for (let at = 0; at < 100; at++) await (await files.open(await fileWith(String(at), 'x'))).close()
  await eventually(async () => assert.equal(openHere().length, 64))
  const many = await Promise.all(Array.from({ length: 100 }, (_, at) => files.open(join(folder, String(at)))))
  for (const file of many) await file.close()
  await eventually(async () => assert.equal(openHere().length, 64))
  await files.close()
  assert.deepEqual(openHere(), [])
})
