// What can go wrong with a backup: each kind of file damaged, one that broke off, a target without room, a store with rot in it.

import assert from 'node:assert/strict'
import { appendFile, cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sender } from '../durability/load.ts'
import { sha256 } from '../support/content.ts'
import { type Lazaret, launcher, startLazaret } from '../support/lazaret.ts'
import { must, run } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import { dataOf, lazaretOn, pushSome } from './scene.ts'

describe('a damaged backup', { skip: lacking('setpriv') }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  let server: Lazaret
  let data: string
  let whole: string
  let set: string
  before(async () => {
    server = await startLazaret(stack, { policy: 'observe', env: { LAZARET_GC_GRACE_SECONDS: '0' } })
    await pushSome(await sender(server), 4)
    data = dataOf(server)
    whole = join(await scratch(stack, 'whole'), 'backup')
    const taken = await lazaretOn(data, undefined, 'backup', whole)
    assert.equal(taken.code, 0, taken.output)
    set = (await readdir(whole)).find((name) => /^\d{8}T/.test(name)) ?? assert.fail('no set')
  })

  async function copyOf(): Promise<string> {
    const copy = join(await scratch(stack, 'damaged'), 'backup')
    await cp(whole, copy, { recursive: true })
    return copy
  }

  async function aBlob(folder: string): Promise<string> {
    const files = await readdir(join(folder, 'blobs'), { recursive: true, withFileTypes: true })
    const file = files.find((entry) => entry.isFile()) ?? assert.fail('no blob')
    return join(file.parentPath, file.name)
  }

  async function flip(path: string, at?: number): Promise<void> {
    const bytes = await readFile(path)
    const place = at ?? Math.floor(bytes.length / 2)
    bytes.writeUInt8((bytes[place] ?? 0) ^ 1, place)
    await writeFile(path, bytes)
  }

  /** Verifying says what is wrong, and a restore refuses it. */
  async function isNamed(target: string, says: RegExp): Promise<void> {
    const verified = await lazaretOn(data, undefined, 'backup', '--verify', target)
    assert.equal(verified.code, 1, verified.output)
    assert.match(verified.stderr, says)
    assert.match(verified.stderr, /is not whole\n$/)
    const restored = join(await scratch(stack, 'refused'), 'data')
    const refused = await lazaretOn(restored, undefined, 'restore', target)
    assert.equal(refused.code, 1, refused.output)
    assert.match(refused.stderr, /the backup is not whole, and was not restored/)
    const started = await lazaretOn(restored, undefined, 'serve')
    assert.equal(started.code, 1)
    assert.match(started.stderr + started.stdout, /a restore into .* did not end/)
  }

  const files = ['records.sqlite', 'keys/token.key', 'advisories/current', 'advisories/000001.sqlite']
  for (const name of files) {
    test(`${name}: changed, cut short, or missing`, async () => {
      const copy = await copyOf()
      const path = join(copy, set, name)
      await flip(path)
      await isNamed(copy, new RegExp(`${set}/${name} was changed`))
      await truncate(path, (await stat(path)).size - 1)
      await isNamed(copy, new RegExp(`${set}/${name} has \\d+ bytes, where \\d+ were written`))
      await rm(path)
      await isNamed(copy, name === 'records.sqlite' ? /records\.sqlite is missing/ : new RegExp(`${set}/${name} is missing`))
    })
  }

  test('a blob: changed, cut short, longer, or missing', async () => {
    const copy = await copyOf()
    const path = await aBlob(copy)
    const name = path.slice(copy.length + 1)
    await flip(path)
    await isNamed(copy, new RegExp(`${name}: what is stored as sha256:\\w+ is sha256:`))
    await truncate(path, 1)
    await isNamed(copy, new RegExp(`${name}: `))
    await appendFile(path, 'more')
    await isNamed(copy, new RegExp(`${name}: `))
    await rm(path)
    await isNamed(copy, new RegExp(`blob sha256:${name.slice(-64)} is missing, which the records name`))
  })

  test('backup.json: changed, cut short, of a later form, or missing', async () => {
    const copy = await copyOf()
    const path = join(copy, 'backup.json')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('"tags": 4', '"tags": 5'))
    await isNamed(copy, /backup\.json is damaged: its own hash does not fit/)
    await writeFile(path, text.slice(0, -10))
    await isNamed(copy, /backup\.json is damaged: it is no JSON/)
    await writeFile(path, text.replace('"form": 1', '"form": 2'))
    await isNamed(copy, /the backup is of a later form \(2\)/)
    await rm(path)
    await isNamed(copy, /there is no backup\.json: this is no backup, or one that did not end/)
  })

  for (const name of ['backup.tar', 'backup.tar.zst']) {
    test(`${name}: changed or cut short anywhere`, async () => {
      const folder = await scratch(stack, 'archive')
      const archive = join(folder, name)
      assert.equal((await lazaretOn(data, undefined, 'backup', archive)).code, 0)
      assert.equal((await lazaretOn(data, undefined, 'backup', '--verify', archive)).code, 0)
      assert.deepEqual(await readdir(folder), [name], 'nothing else is left')
      const { size } = await stat(archive)
      for (const part of [0.2, 0.5, 0.9]) {
        const copy = join(folder, `copy-${name}`)
        await cp(archive, copy)
        await flip(copy, Math.floor(size * part))
        const changed = await lazaretOn(data, undefined, 'backup', '--verify', copy)
        assert.equal(changed.code, 1, `${part}: ${changed.output}`)
        await cp(archive, copy)
        await truncate(copy, Math.floor(size * part))
        await isNamed(copy, /cut short|no backup\.json/)
      }
    })
  }

  test('a backup that broke off is not taken for a whole one; the one before it stays, and the next clears away', async () => {
    const fresh = join(await scratch(stack, 'killed'), 'backup')
    for (const target of [fresh, whole]) {
      const child = spawn(launcher, ['backup', target], { env: { ...process.env, LAZARET_DATA: data }, stdio: 'ignore', detached: true })
      const before = new Set(await readdir(target).catch(() => []))
      const begun = async () => (await readdir(target).catch(() => [])).some((name) => !before.has(name))
      while (!(await begun())) await sleep(5)
      process.kill(-(child.pid ?? 0), 'SIGKILL')
      await new Promise((resolve) => child.once('exit', resolve))
      const busy = await lazaretOn(data, undefined, 'backup', join(await scratch(stack, 'busy'), 'backup'))
      assert.equal(busy.code, 1)
      assert.match(busy.stderr, /another backup is under way, or one that was killed: it holds the store until 20/)
      await letGo()
    }
    assert.equal((await lazaretOn(data, undefined, 'backup', '--verify', fresh)).code, 1)
    assert.equal((await lazaretOn(data, undefined, 'backup', '--verify', whole)).code, 0, 'the one before')
    for (const target of [fresh, whole]) {
      const again = await lazaretOn(data, undefined, 'backup', target)
      assert.equal(again.code, 0, again.output)
      assert.equal((await readdir(target)).length, 3, 'backup.json, blobs, and one set')
      assert.equal((await lazaretOn(data, undefined, 'backup', '--verify', target)).code, 0)
    }
    set = (await readdir(whole)).find((name) => /^\d{8}T/.test(name)) ?? ''
  })

  /** The three minutes are over. */
  async function letGo(): Promise<void> {
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(join(data, 'records.sqlite'), { timeout: 10_000 })
    const { changes } = database.prepare(`update meta set value = '0000000000001' || substr(value, 14) where key = 'backup'`).run()
    database.close()
    assert.equal(Number(changes), 1, 'it was killed while it held the store')
  }

  test('a second backup copies new blobs alone, and what is no longer needed goes', async () => {
    const target = join(await scratch(stack, 'second'), 'backup')
    const stray = Buffer.from('nothing needs this')
    await mkdir(join(target, 'blobs', 'sha256', sha256(stray).slice(7, 9)), { recursive: true })
    const place = join(target, 'blobs', 'sha256', sha256(stray).slice(7, 9), sha256(stray).slice(7))
    await writeFile(place, stray)
    await lazaretOn(data, undefined, 'backup', target)
    await assert.rejects(stat(place), { code: 'ENOENT' })
    const kept = await aBlob(target)
    const before = await stat(kept)
    await pushSome(await sender(server), 1, 'new')
    const second = await lazaretOn(data, undefined, 'backup', target)
    assert.match(second.stdout, /; 3 blobs were new/)
    assert.equal((await stat(kept)).ino, before.ino)
    const other = await lazaretOn(data, undefined, 'backup', data)
    assert.equal(other.code, 1)
    assert.match(other.stderr, /holds other things/)
  })

  test('rot in the store: everything else is saved, what is rotten is named, denied after a restore, and healed by a push', async () => {
    const own = await startLazaret(stack, { policy: 'observe' })
    const known = await pushSome(await sender(own), 2)
    const [digest, bytes] = [...known.blobs].find(([, blob]) => blob.length === 50_000) ?? assert.fail()
    await own.daemon.stop()
    const stored = await readdir(join(dataOf(own), 'blobs'), { recursive: true, withFileTypes: true })
    for (const file of stored) {
      const path = join(file.parentPath, file.name)
      if (file.isFile() && sha256(await readFile(path)) === digest) await flip(path)
    }
    const folder = await scratch(stack, 'rot')
    for (const name of ['backup', 'backup.tar']) {
      const target = join(folder, name)
      const taken = await lazaretOn(dataOf(own), undefined, 'backup', target)
      assert.equal(taken.code, 1)
      assert.match(taken.stderr, new RegExp(`${digest} is damaged in the store, and left out`))
      assert.match((await lazaretOn(data, undefined, 'backup', '--verify', target)).output, /is whole[^]*without 1 damaged blobs/)
    }
    const restoredFolder = await scratch(stack, 'rot')
    assert.equal((await lazaretOn(join(restoredFolder, 'data'), undefined, 'restore', join(folder, 'backup.tar'))).code, 0)
    const restored = await startLazaret(stack, { policy: 'observe', after: { ...own, folder: restoredFolder } })
    const send = await sender(restored)
    assert.equal((await send('GET', `/v2/shop/load/blobs/${digest}`)).status, 500)
    const damaged = JSON.parse((await restored.api('/damaged')).body.toString()) as { items: { digest: string }[] }
    assert.deepEqual(
      damaged.items.map((one) => one.digest),
      [digest],
    )
    assert.equal((await send('POST', `/v2/shop/load/blobs/uploads/?digest=${digest}`, bytes)).status, 201)
    assert.equal((await send('GET', `/v2/shop/load/blobs/${digest}`)).status, 200)
    await restored.daemon.stop()
  })

  test('a target without room says so, and keeps the backup that was there', { skip: lacking('mount', 'umount') }, async (t) => {
    const disk = join(await scratch(stack, 'full'), 'disk')
    await mkdir(disk)
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=60m', 'tmpfs', disk])
    if (mounted.code !== 0) return t.skip(`left out, a tmpfs can't be mounted here: ${mounted.stderr.trim()}`)
    const target = join(disk, 'backup')
    assert.equal((await lazaretOn(data, undefined, 'backup', target)).code, 0)
    await must('sh', ['-c', `dd if=/dev/zero of=${join(disk, 'filler')} bs=64k || true`])
    for (const place of [target, join(disk, 'b.tar')]) {
      const refused = await lazaretOn(data, undefined, 'backup', place)
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, /can't be written: its disk is full/)
    }
    await rm(join(disk, 'filler'))
    assert.deepEqual((await readdir(disk)).toSorted(), ['backup'])
    assert.equal((await lazaretOn(data, undefined, 'backup', '--verify', target)).code, 0)
  })

  test('what is not there, or no backup, is told apart', async () => {
    const empty = await scratch(stack, 'empty')
    assert.match((await lazaretOn(data, undefined, 'backup', '--verify', join(empty, 'nothing'))).stderr, /is not there/)
    assert.match((await lazaretOn(join(empty, 'data'), undefined, 'restore', join(empty, 'nothing'))).stderr, /is not there/)
    assert.deepEqual(await readdir(empty), [])
    assert.match((await lazaretOn(join(empty, 'data'), undefined, 'backup', join(empty, 'b'))).stderr, /there are no records/)
    const foreign = join(empty, 'foreign.tar')
    await must('tar', ['-cf', foreign, '-C', empty, '.'])
    assert.match((await lazaretOn(data, undefined, 'backup', '--verify', foreign)).stderr, /does not belong to a backup/)
    const full = await lazaretOn(data, undefined, 'restore', whole)
    assert.match(full.stderr, /is not empty/)
  })
})
