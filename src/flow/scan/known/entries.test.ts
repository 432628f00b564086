import assert from 'node:assert/strict'
import { chmod, chown, mkdir, readdir, readFile, rename, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { scratch } from '../../../../test/support/scratch.ts'
import { entryLimits, openEntries, type Entries, type EntryLimits } from './entries.ts'
import { draftPrefix } from './folder.ts'
import { clearEntries, entriesIn } from './trim.ts'

const stack = new AsyncDisposableStack()
let base = ''
let folder = ''
let count = 0
let said: { text: string; trouble: boolean }[] = []
before(async () => (base = await scratch(stack, 'entries')))
after(() => stack.disposeAsync())
beforeEach(() => {
  folder = join(base, String(count++))
  said = []
})

const isRoot = process.getuid?.() === 0
const lines = ['{"a":1}', '[2,"ü"]', '']

function opened(limits: EntryLimits = entryLimits): Entries {
  const entries = openEntries(folder, (text, trouble) => said.push({ text, trouble }), limits)
  assert.ok(entries)
  return entries
}

async function linesOf(entries: Entries, name: string): Promise<string[] | undefined> {
  const found = entries.get(name)
  return found === undefined ? undefined : await Array.fromAsync(found)
}

describe('entries', () => {
  test('come back as they were put, from a folder and files that are the user’s alone', async () => {
    const entries = opened()
    assert.equal(await linesOf(entries, 'one'), undefined)
    await entries.put('one', lines)
    assert.deepEqual(await linesOf(entries, 'one'), lines)
    assert.deepEqual([entries.has('one'), entries.has('two')], [true, false])
    assert.equal((await stat(folder)).mode & 0o777, 0o700)
    assert.equal((await stat(join(folder, 'one'))).mode & 0o777, 0o600)
    const large = Array.from({ length: 50 }, (_, at) => `${at}${'x'.repeat(100_000)}`)
    await entries.put('large', large)
    assert.deepEqual(await linesOf(entries, 'large'), large)
    assert.deepEqual(said, [])
  })

  test('cut at any byte, or with any byte changed: a miss that is told and removed', async () => {
    const entries = opened()
    await entries.put('one', lines)
    const path = join(folder, 'one')
    const whole = await readFile(path)
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole)
      changed[at] = (changed[at] ?? 0) ^ 1
      for (const bytes of [whole.subarray(0, at), changed]) {
        said = []
        await writeFile(path, bytes)
        assert.equal(entries.get('one'), undefined, `byte ${at}`)
        assert.match(said[0]?.text ?? '', /one is (damaged|cut short): it counts as not there, and is removed/)
        assert.equal(entries.has('one'), false)
      }
    }
  })

  test('an entry of another name, a link, a folder and one that is too large are misses', async () => {
    const entries = opened()
    await entries.put('one', lines)
    await rename(join(folder, 'one'), join(folder, 'two'))
    assert.equal(entries.get('two'), undefined)
    assert.match(said[0]?.text ?? '', /two holds another entry/)
    await entries.put('one', lines)
    await symlink(join(folder, 'one'), join(folder, 'linked'))
    assert.equal(entries.get('linked'), undefined)
    assert.match(said[1]?.text ?? '', /linked is a link/)
    assert.deepEqual(await readdir(folder), ['one'])
    await mkdir(join(folder, 'deep'))
    assert.equal(entries.get('deep'), undefined)
    assert.match(said[2]?.text ?? '', /deep is no file/)
    assert.equal(opened({ ...entryLimits, entryBytes: 10 }).get('one'), undefined)
  })

  test('one that another user wrote is a miss', { skip: !isRoot && 'only root can give a file away' }, async () => {
    const entries = opened()
    await entries.put('one', lines)
    await chown(join(folder, 'one'), 12_345, 12_345)
    assert.equal(entries.get('one'), undefined)
    assert.match(said[0]?.text ?? '', /belongs to the user with the id 12345/)
    assert.deepEqual(await readdir(folder), [])
  })

  test('many who write the same name at once leave one of them whole, and no draft', async () => {
    const texts = Array.from({ length: 20 }, (_, at) => String(at).repeat(10_000))
    const reading: (string[] | undefined)[] = []
    await Promise.all(
      texts.map(async (text) => {
        await opened().put('one', [text])
        reading.push(await linesOf(opened(), 'one'))
      }),
    )
    for (const found of reading) assert.ok(found?.length === 1 && texts.includes(found[0] ?? ''))
    assert.deepEqual(await readdir(folder), ['one'])
    assert.deepEqual(said, [])
  })

  test('what the lines throw passes, and leaves nothing behind', async () => {
    const failing = function* () {
      yield 'one'
      throw new RangeError('no more')
    }
    await assert.rejects(opened().put('one', failing()), RangeError)
    assert.deepEqual(await readdir(folder), [])
  })

  test('a line that could not be read again, or that no text can hold, is not kept', async () => {
    const entries = opened()
    await entries.put('one', ['x'.repeat(65 * 1024 * 1024)])
    const beyond = function* () {
      yield 'x'.repeat(2 ** 29)
    }
    await entries.put('two', beyond())
    assert.deepEqual(await readdir(folder), [])
    assert.deepEqual(
      said.map(({ text }) => text),
      ['one is not kept: it is too large', 'two is not kept: it is too large'],
    )
  })

  test('what is too large is not kept; the longest unused leave, and a use counts', async () => {
    const noise = () => Array.from({ length: 200 }, () => Math.random().toString(36)).join('')
    const entries = opened({ entryBytes: 4000, folderBytes: 6000 })
    await entries.put('huge', [noise() + noise() + noise() + noise()])
    assert.deepEqual([await readdir(folder), said[0]?.trouble], [[], false])
    for (const [at, name] of ['a', 'b', 'c', 'd', 'e'].entries()) {
      await entries.put(name, [noise()])
      await utimes(join(folder, name), 1_700_000_000 + at, 1_700_000_000 + at)
    }
    await writeFile(join(folder, `${draftPrefix}old`), 'x')
    await utimes(join(folder, `${draftPrefix}old`), 1, 1)
    await writeFile(join(folder, `${draftPrefix}young`), 'x')
    assert.ok(await linesOf(entries, 'a'))
    await entries.close()
    const left = await readdir(folder)
    assert.ok(left.includes('a') && left.includes('e') && !left.includes('b'), left.join())
    assert.deepEqual(
      left.filter((name) => name.startsWith(draftPrefix)),
      [`${draftPrefix}young`],
    )
    assert.ok((await entriesIn(folder)).sizeBytes <= 6000)
  })
})

describe('the folder', () => {
  test('that others may write to, that is a link or a file, is not used', async () => {
    const refused = (text: RegExp) => {
      said = []
      assert.equal(
        openEntries(folder, (words, trouble) => said.push({ text: words, trouble })),
        undefined,
      )
      assert.equal(said.length, 1)
      assert.match(said[0]?.text ?? '', text)
      assert.equal(said[0]?.trouble, true)
    }
    await mkdir(folder)
    await chmod(folder, 0o777)
    refused(/others may write to/)
    await assert.rejects(clearEntries(folder), { code: 'DENIED' })
    await chmod(folder, 0o700)
    if (isRoot) {
      await chown(folder, 12_345, 12_345)
      refused(/belongs to the user with the id 12345/)
    }
    const [target, link] = [folder, `${folder}-link`]
    await symlink(target, link)
    folder = link
    refused(/is no folder/)
    folder = `${target}-file`
    await writeFile(folder, '')
    refused(/is no folder/)
  })

  test('that can not be made is told once, and all is a miss', async () => {
    const entries = opened()
    await writeFile(folder, '') // which holds root back too
    assert.equal(entries.get('one'), undefined)
    await entries.put('one', lines)
    await entries.put('two', lines)
    await entries.close()
    assert.equal(said.filter(({ trouble }) => trouble).length, 1)
    assert.match(said.find(({ trouble }) => trouble)?.text ?? '', /can not be kept for the next time: E\w+/)
  })

  test('is emptied, and one that is not there is empty', async () => {
    assert.deepEqual(await entriesIn(folder), { count: 0, sizeBytes: 0 })
    const entries = opened()
    await entries.put('one', lines)
    await entries.put('two', lines)
    const { count: before, sizeBytes } = await clearEntries(folder)
    assert.equal(before, 2)
    assert.ok(sizeBytes > 100)
    assert.deepEqual(await readdir(folder), [])
  })
})
