// Data folders that a server can't serve from: each is refused in words, or told of while it serves, and nothing is made worse.

import assert from 'node:assert/strict'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { openRecords } from '../../src/store/records/open.ts'
import { cannotMount } from '../support/mounts.ts'
import { sha256 } from '../support/content.ts'
import { freePort } from '../support/daemon.ts'
import { launcher, type Lazaret, startLazaret } from '../support/lazaret.ts'
import { must, type Outcome, run } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import { repository, sender } from './load.ts'

const pageBytes = 4096

describe('a data folder', { skip: lacking('mount', 'umount', 'setpriv') || (await cannotMount()) }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  /** As a server that has stopped left it, with some hundred repositories in it. */
  let whole: string

  before(async () => {
    const server = await startLazaret(stack, { policy: 'observe' })
    const send = await sender(server)
    const blob = Buffer.from('a blob')
    assert.equal((await send('POST', `/v2/${repository}/blobs/uploads/?digest=${sha256(blob)}`, blob)).status, 201)
    await server.daemon.stop()
    whole = join(server.folder, 'data')
    const records = await openRecords(whole)
    const rows = Array.from({ length: 2000 }, (_, at) => ({ name: `filler/repository-${at}`, created_at: at }))
    await records.write((tx) => tx.insertInto('repositories').values(rows).execute())
    await records.close()
    const database = new DatabaseSync(join(whole, 'records.sqlite'))
    database.exec('pragma journal_mode = delete') // all of it is in the one file that is damaged below
    database.close()
  })

  test('that can’t be written is refused with its name and why, and ends with 1', async () => {
    const folder = join(await scratch(stack, 'ro'), 'disk')
    await mkdir(folder)
    await must('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder])
    await must('cp', ['-a', whole, join(folder, 'data')])
    await must('mount', ['-o', 'remount,ro', folder])
    const { code, stderr } = await start(join(folder, 'data'))
    assert.equal(code, 1, stderr)
    assert.match(stderr, new RegExp(`^lazaret: the data folder ${folder}/data can't be written: EROFS: read-only file system`, 'm'))
  })

  test('of a newer version is refused with its name', async () => {
    const folder = await copy()
    const records = await openRecords(folder)
    await records.write((tx) => tx.updateTable('meta').set({ value: '0999-later' }).where('key', '=', 'schema').execute())
    await records.close()
    const { code, stderr } = await start(folder)
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^lazaret: the records are of a newer version of Lazaret \(0999-later\): start that version, or restore a backup$/m,
    )
  })

  test('that another server holds is refused with that one’s address, and that one goes on', async () => {
    const server = await startLazaret(stack, { policy: 'observe' })
    const folder = join(server.folder, 'data')
    const { code, stderr } = await start(folder)
    assert.equal(code, 1)
    assert.match(
      stderr,
      new RegExp(
        `^lazaret: the data folder ${folder} is held by the server at http://${server.host} \\(process ${server.daemon.pid}\\)$`,
        'm',
      ),
    )
    assert.equal((await fetch(`http://${server.host}/health/ready`)).status, 200)
    await server.daemon.stop()
  })

  const starts: [string, (path: string) => Promise<void>][] = [
    ['whose head is overwritten', (path) => overwrite(path, 0, Buffer.alloc(100, 0xff))],
    ['whose tables are overwritten', (path) => overwrite(path, 100, Buffer.alloc(pageBytes - 100, 0xff))],
    ['that is something else', (path) => writeFile(path, 'these are no records, and long enough to be seen as none\n'.repeat(200))],
  ]
  for (const [words, damage] of starts) {
    test(`with a SQLite file ${words} is refused with the file and the remedy`, async () => {
      const folder = await copy()
      const path = join(folder, 'records.sqlite')
      await damage(path)
      const before = sha256(await readFile(path))
      const { code, stderr } = await start(folder)
      assert.equal(code, 1, stderr)
      assert.match(stderr, new RegExp(`^lazaret: ${path} is damaged \\([^\\n]+\\): [^\\n]*restore a backup with \`lazaret restore\`$`, 'm'))
      assert.equal(sha256(await readFile(path)), before, 'it is left as it was')
    })
  }

  test('with a log of the records that is rubbish starts from what is whole', async () => {
    const folder = await copy()
    await writeFile(join(folder, 'records.sqlite-wal'), Buffer.alloc(100_000, 0x5a))
    await using server = await serve(folder)
    assert.equal((await fetch(`http://${server.host}/health/ready`)).status, 200)
    assert.equal((await server.api('/repositories?limit=5')).status, 200)
  })

  test('whose records are damaged in the middle while it serves: what is hit fails in words, the log names the remedy, and nothing is let through', async () => {
    const folder = await copy()
    const path = join(folder, 'records.sqlite')
    const { size } = await (await opened(path)).stat()
    for (let page = 2; page < size / pageBytes; page++)
      if (await holds(path, page, 'filler/repository-')) await overwrite(path, page * pageBytes, Buffer.alloc(pageBytes, 0xff))
    await using server = await serve(folder)
    const answer = await server.api('/repositories?limit=1000')
    assert.equal(answer.status, 500, answer.body.toString())
    assert.match(answer.body.toString(), /the records are damaged \(records\.sqlite: [^)]+\): .*lazaret restore/)
    assert.doesNotMatch(answer.body.toString(), new RegExp(folder), 'a client learns no path')
    assert.match(server.daemon.log(), /"level":"error"[^\n]*the records are damaged/)
    assert.equal((await fetch(`http://${server.host}/health/live`)).status, 200)
    const pulled = await server.protocol(server.admin).askBasic('/v2/filler/repository-7/tags/list')
    assert.ok(pulled.status >= 400, `${pulled.status}`)
  })

  async function copy(): Promise<string> {
    const folder = join(await scratch(stack, 'folder'), 'data')
    await must('cp', ['-a', whole, folder])
    return folder
  }

  /** Starts a server that is expected to refuse. */
  async function start(data: string): Promise<Outcome> {
    const env = {
      LAZARET_DATA: data,
      LAZARET_LISTEN: `127.0.0.1:${await freePort()}`,
      LAZARET_OFFLINE: 'true',
      LAZARET_DISK_LOW_WATER_BYTES: '0',
    }
    return run(launcher, ['serve'], { env, timeoutMs: 15_000 })
  }

  async function serve(data: string): Promise<Lazaret & AsyncDisposable> {
    const after = { folder: join(data, '..'), host: `127.0.0.1:${await freePort()}`, developer: { username: 'developer', password: '' } }
    const server = await startLazaret(stack, { policy: 'observe', after: after as Lazaret })
    return { ...server, [Symbol.asyncDispose]: async () => void (await server.daemon.stop()) }
  }

  async function opened(path: string) {
    const file = await open(path, 'r+')
    stack.defer(() => file.close())
    return file
  }

  async function overwrite(path: string, at: number, bytes: Buffer): Promise<void> {
    await (await opened(path)).write(bytes, 0, bytes.length, at)
  }

  async function holds(path: string, page: number, text: string): Promise<boolean> {
    const { buffer } = await (await opened(path)).read(Buffer.alloc(pageBytes), 0, pageBytes, page * pageBytes)
    return buffer.includes(text)
  }
})
