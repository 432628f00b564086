// News of a flaw, from its import to the gate: an image that was allowed is refused, and allowed again when the news is taken back, with
// the server killed in between; what no news names is not looked at.

import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { importAdvisories } from '../../src/advisories/import.ts'
import { treeOf } from '../durability/tree.ts'
import { eventually } from '../protocol/support/eventually.ts'
import { imageOf } from '../support/images.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { npmApplication } from '../support/worlds.ts'

interface Move {
  from: string
  to: string
  change?: number
  reason?: string
}

interface Change {
  id: number
  from?: string
  to: string
  state: string
  tookMs?: number
  came: { added?: number; changed?: number; withdrawn?: number }
  images: { looked: number; moved: number; waiting: number }
  verdicts: { toDeny: number; toAllow: number }
}

describe('what news of a flaw does', { timeout: 240_000 }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())

  test('refused, and allowed again, killed in between; both are in its history', async () => {
    let server = await startLazaret(stack, { policy: 'balanced' })
    const named = await push(server, 'shop/named', { 'quiet-parser': '1.0.0' })
    const other = await push(server, 'shop/other', { 'calm-parser': '1.0.0' })
    await settled(server, await news(server, flaw('CVE-2027-1', 'somebody-elses'), 1)) // the day that npm is judged by moves with it
    await stands(server, named, 'allow')
    const before = await evidenceOf(server, other)

    const since = Date.now()
    await news(server, flaw('CVE-2027-2', 'quiet-parser'), 2)
    const imported = Date.now()
    await stands(server, named, 'deny')
    process.stdout.write(`refused ${Date.now() - imported} ms after the import, which took ${imported - since} ms\n`)
    assert.equal((await server.protocol(server.developer).manifest('shop/named', named.split('@')[1] ?? '')).status, 403)

    const revision = await news(server, { ...flaw('CVE-2027-2', 'quiet-parser'), withdrawn: instant(3) }, 3)
    server = await killed(server)
    await stands(server, named, 'allow')
    assert.equal((await server.protocol(server.developer).manifest('shop/named', named.split('@')[1] ?? '')).status, 200)

    const history = await answer<Move>(server, `/images/history?image=${named}`)
    assert.deepEqual(
      history.map(({ from, to }) => `${from} ${to}`),
      ['deny allow', 'allow deny'],
    )
    assert.match(history[1]?.reason ?? '', /CVE-2027-2 in quiet-parser 1\.0\.0/)
    await settled(server, revision)
    const [withdrawal, arrival] = await answer<Change>(server, '/advisories/changes')
    assert.deepEqual([withdrawal?.came.withdrawn, withdrawal?.verdicts], [1, { toDeny: 0, toAllow: 1, other: 0 }])
    assert.deepEqual([arrival?.came.added, arrival?.verdicts], [1, { toDeny: 1, toAllow: 0, other: 0 }])
    assert.deepEqual([arrival?.images, arrival?.state], [{ looked: 1, moved: 1, waiting: 0 }, 'done'])
    assert.ok((arrival?.tookMs ?? Number.POSITIVE_INFINITY) < 2000, `${arrival?.tookMs} ms`)
    assert.deepEqual(await answer(server, `/advisories/changes/records?change=${arrival?.id}`), [{ id: 'CVE-2027-2', what: 'added' }])
    const [moved] = await answer<{ repository: string; to: string }>(server, `/advisories/changes/images?change=${arrival?.id}`)
    assert.deepEqual([moved?.repository, moved?.to], ['shop/named', 'deny'])
    assert.equal(await evidenceOf(server, other), before, 'what no news names is not looked at')
    const { stdout } = await server.lazaret(['advisories', 'changes'])
    assert.match(stdout, /^ID +REVISION[^]* \d+ ms +1 +1 +0 +1$/m)
    assert.equal((await server.api('/advisories/changes', server.developer)).status, 403)
    await server.daemon.stop()
  })

  test('killed at any point after an import, the images end on it', async () => {
    let server = await startLazaret(stack, { policy: 'balanced' })
    const images: string[] = []
    for (let at = 0; at < 6; at++) images.push(await push(server, `shop/some${at}`, { 'quiet-parser': '1.0.0', [`own-${at}`]: '1.0.0' }))
    let day = 1
    let revision = ''
    for (const pauseMs of [0, 150, 400, 700]) {
      const isWithdrawn = day % 2 === 0
      await news(server, { ...flaw('CVE-2027-3', 'quiet-parser'), ...(isWithdrawn ? { withdrawn: instant(day) } : {}) }, day++)
      revision = await news(server, flaw(`CVE-2027-${100 + day}`, `unheard-of-${day}`), day)
      await sleep(pauseMs) // how far it has come when it is killed is what is tried here
      server = await killed(server)
      for (const image of images) await stands(server, image, isWithdrawn ? 'allow' : 'deny')
    }
    await settled(server, revision)
    await server.daemon.stop()
  })
})

async function push(server: Lazaret, repository: string, packages: Record<string, string>): Promise<string> {
  const content = await imageOf([{ ...npmApplication(packages), 'app/name': repository }])
  assert.equal((await server.protocol(server.admin).push(repository, content, 'latest')).status, 201)
  return `${repository}@${content.root.digest}`
}

const instant = (day: number) => new Date(Date.UTC(2026, 10, day)).toISOString()

function flaw(id: string, name: string): object {
  const events = [{ introduced: '0' }, { fixed: '2.0.0' }]
  return {
    schema_version: '1.7.0',
    id,
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    affected: [{ package: { ecosystem: 'npm', name }, ranges: [{ type: 'SEMVER', events }] }],
  }
}

/** Imported beside the server that runs, as `lazaret advisories import` does. */
async function news(server: Lazaret, record: object, day: number): Promise<string> {
  const folder = join(server.folder, 'news')
  await mkdir(folder, { recursive: true })
  const path = join(folder, `${crypto.randomUUID()}.json`)
  await writeFile(path, JSON.stringify({ ...record, modified: instant(day) }))
  const coverage = [{ ecosystem: 'npm', depth: 'whole', asOf: new Date().toISOString(), note: 'these tests' }] as const
  return (await importAdvisories([path], join(server.folder, 'data'), { bundled: false, coverage })).revision
}

async function killed(server: Lazaret): Promise<Lazaret> {
  for (const pid of (await treeOf(server.daemon.pid)).toReversed()) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  await server.daemon.stop()
  return startLazaret(stackless, { policy: 'balanced', after: server })
}

/** Each server is stopped by its test, or by the next kill. */
const stackless = new AsyncDisposableStack()
after(() => stackless.disposeAsync())

async function answer<T>(server: Lazaret, path: string): Promise<T[]> {
  const got = await server.api(path)
  assert.equal(got.status, 200, got.body.toString())
  return (JSON.parse(got.body.toString()) as { items: T[] }).items
}

async function verdictOf(server: Lazaret, image: string): Promise<{ decision: string; evidenceRevision?: number }> {
  const got = await server.api(`/verdict?image=${image}&wait=0`)
  assert.equal(got.status, 200, got.body.toString())
  return JSON.parse(got.body.toString()) as { decision: string; evidenceRevision?: number }
}

async function evidenceOf(server: Lazaret, image: string): Promise<number | undefined> {
  return (await verdictOf(server, image)).evidenceRevision
}

function stands(server: Lazaret, image: string, decision: string): Promise<void> {
  return eventually(async () => assert.equal((await verdictOf(server, image)).decision, decision, image), 1500)
}

/** That revision was noticed, no change runs, and no job waits. */
function settled(server: Lazaret, revision: string): Promise<void> {
  return eventually(async () => {
    const changes = await answer<Change>(server, '/advisories/changes')
    assert.equal(changes[0]?.to, revision)
    assert.deepEqual(
      changes.filter(({ state }) => state === 'running'),
      [],
    )
    assert.deepEqual(await answer(server, '/jobs'), [])
  }, 1500)
}
