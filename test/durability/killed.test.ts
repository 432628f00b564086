// SIGKILL at random moments under push load: what was acknowledged is there and whole, and the rest leaves no trace after collection.
// KILLS=50 for the long form.

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openRecords } from '../../src/store/records/open.ts'
import type { Records } from '../../src/store/records/records.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { startPostgres } from '../support/postgres.ts'
import { lacking } from '../support/tools.ts'
import { lostOf, nothingYet, pushUntilGone, sender, type Acknowledged } from './load.ts'
import { treeOf } from './tree.ts'

const kills = Number(process.env['KILLS'] ?? 5)
const clients = 4

describe('killed under push load', {
  skip: lacking('setpriv', 'postgres', 'initdb', 'createdb', 'pg_isready'),
  timeout: 120_000 + kills * 60_000,
}, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())

  test(`${kills} times over SQLite`, () => killAgainAndAgain())

  test(`${kills} times over PostgreSQL`, async () => killAgainAndAgain(await (await startPostgres(stack)).createDatabase('killed')))

  async function killAgainAndAgain(database?: string): Promise<void> {
    const env = database === undefined ? {} : { LAZARET_DATABASE: database }
    const known = nothingYet()
    let server = await startLazaret(stack, { policy: 'observe', env })
    for (let kill = 1; kill <= kills; kill++) {
      await loadAndKill(server, known)
      server = await startLazaret(stack, { policy: 'observe', env, after: server })
      assert.deepEqual(await lostOf(await sender(server), known), [], `after kill ${kill}`)
    }
    assert.ok(known.manifests.size >= kills, `${known.manifests.size} manifests were acknowledged`)
    await noTrace(server, known, database)
    process.stdout.write(
      `killed ${kills} times: ${known.manifests.size} manifests, ${known.blobs.size} blobs, ${known.tags.size} tags whole\n`,
    )
  }

  async function loadAndKill(server: Lazaret, known: Acknowledged): Promise<void> {
    const send = await sender(server)
    let gone = false
    const load = Promise.all(Array.from({ length: clients }, (_, at) => pushUntilGone(send, known, `c${at}`, () => gone)))
    await Promise.race([sleep(randomInt(300, 2000)), load])
    const tree = await treeOf(server.daemon.pid)
    gone = true
    for (const pid of tree.toReversed()) kill9(pid)
    await load
    await server.daemon.stop()
  }

  /** What was cut off is collected, and then each file is a blob that a manifest needs. */
  async function noTrace(server: Lazaret, known: Acknowledged, database: string | undefined): Promise<void> {
    await server.daemon.stop()
    const folder = join(server.folder, 'data')
    await withRecords(folder, database, (records) => records.write((tx) => tx.updateTable('uploads').set({ expires_at: 1 }).execute()))
    const env = { LAZARET_GC_GRACE_SECONDS: '0', ...(database === undefined ? {} : { LAZARET_DATABASE: database }) }
    const last = await startLazaret(stack, { policy: 'observe', env, after: server })
    const collected = await last.lazaret(['gc', '--format', 'json'])
    assert.equal(collected.code, 0, collected.output)
    const held = new Set([...known.manifests.values()].flatMap(blobsOf))
    const needed = { ...known, blobs: new Map([...known.blobs].filter(([digest]) => held.has(digest))) }
    assert.deepEqual(await lostOf(await sender(last), needed), [])
    await last.daemon.stop()
    const files = (await readdir(join(folder, 'blobs'), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
    await withRecords(folder, database, async (records) => {
      const blobs = await records.read.selectFrom('blobs').select('object_key').execute()
      assert.deepEqual(new Set(files.map((file) => file.name)), new Set(blobs.map((blob) => blob.object_key)))
      for (const table of ['uploads', 'dead_objects'] as const)
        assert.deepEqual(await records.read.selectFrom(table).select('object_key').execute(), [], table)
    })
  }
})

async function withRecords(folder: string, database: string | undefined, work: (records: Records) => Promise<unknown>): Promise<void> {
  const records = await openRecords(folder, database)
  try {
    await work(records)
  } finally {
    await records.close()
  }
}

/** Whoever dies with its parent may be gone by now. */
function kill9(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function blobsOf(manifest: Buffer): string[] {
  const { config, layers } = JSON.parse(manifest.toString()) as { config: { digest: string }; layers: { digest: string }[] }
  return [config.digest, ...layers.map((layer) => layer.digest)]
}
