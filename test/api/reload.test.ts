// SIGHUP: settings are read again while it serves.

import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { lacking } from '../support/tools.ts'

interface Line {
  level: string
  msg: string
  settings?: string[]
  err?: { message: string }
  path?: string
}

describe('settings read again', { skip: lacking('setpriv') }, () => {
  const stack = new AsyncDisposableStack()
  let server: Lazaret
  before(async () => {
    server = await startLazaret(stack, { policy: 'observe' })
  })
  after(() => stack.disposeAsync())

  const lines = (): Line[] =>
    server.daemon
      .log()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Line)

  /** Out: what the log says of it. */
  async function reload(yaml: string | undefined): Promise<Line[]> {
    const file = join(server.folder, 'lazaret.yaml')
    if (yaml === undefined) rmSync(file)
    else writeFileSync(file, yaml)
    const before = lines().length
    process.kill(server.daemon.pid, 'SIGHUP')
    for (const end = Date.now() + 30_000; ; await sleep(20)) {
      const said = lines().slice(before)
      if (said.some(({ msg }) => /^settings (could not be )?read again/.test(msg))) return said
      if (Date.now() > end) throw new Error(server.daemon.log())
    }
  }

  const begin = () =>
    server.protocol(server.developer).ask('/v2/shop/api/blobs/uploads/', { method: 'POST', scope: 'repository:shop/api:pull,push' })
  const asAnyone = async (path: string) => (await server.protocol().ask(path, { scope: 'repository:library/app:pull' })).status
  const audited = async () =>
    (
      JSON.parse((await server.api('/audit-log?action=settings.reload&limit=10')).body.toString('utf8')) as {
        items: { result: string; principal: string; detail: { changed?: string[]; needRestart?: string[]; problem?: string } }[]
      }
    ).items

  test('what can change while it serves does, and the rest is named', async () => {
    assert.equal(await asAnyone('/v2/library/app/tags/list'), 401)
    assert.equal((await begin()).status, 202)
    const said = await reload(`
log: debug
public: [library/**]
repositories: [{ match: shop/**, owner: team-shop }]
limits: { uploadsPerMinute: 1 }
gate: { waitSeconds: 3 }
`)
    const [later] = said.filter(({ level }) => level === 'warn')
    assert.deepEqual(later?.settings, ['gate.waitSeconds'], JSON.stringify(said))
    assert.match(later?.msg ?? '', /need a restart/)
    assert.equal(await asAnyone('/v2/library/app/tags/list'), 404, 'public: it may be looked at, and is not there')
    await begin()
    assert.equal((await begin()).status, 429)
    assert.match((await server.api('/repository-settings')).body.toString('utf8'), /team-shop/)
    assert.ok(lines().some(({ level, msg, path }) => level === 'debug' && msg === 'request' && path === '/v2/library/app/tags/list'))
    const [row] = await audited()
    assert.deepEqual([row?.result, row?.principal], ['done', 'system'])
    assert.deepEqual(row?.detail.needRestart, ['gate.waitSeconds'])
    assert.deepEqual(row?.detail.changed?.toSorted(), ['limits.uploadsPerMinute', 'log', 'public', 'repositories'])
  })

  test('a broken file, or one that is gone, changes nothing, loudly', async () => {
    for (const [yaml, problem] of [
      ['public: 5\n', /lazaret\.yaml:1: public must be/],
      ['public: [', /lazaret\.yaml/],
      [undefined, /is not there any more/],
    ] as const) {
      const said = await reload(yaml)
      const [error] = said.filter(({ level }) => level === 'error')
      assert.match(error?.err?.message ?? '', problem)
      assert.equal(await asAnyone('/v2/library/app/tags/list'), 404, 'still public')
      for (const end = Date.now() + 10_000; ; await sleep(20)) {
        const [row] = await audited()
        if (row?.result === 'refused' && problem.test(row.detail.problem ?? '')) break
        if (Date.now() > end) assert.fail(JSON.stringify(row))
      }
    }
    await reload('log: info\n')
    assert.equal(await asAnyone('/v2/library/app/tags/list'), 401, 'and no more, as the file says so')
  })

  test('many at once are as one, and the server stops as ever', async () => {
    for (let at = 0; at < 50; at++) process.kill(server.daemon.pid, 'SIGHUP')
    assert.equal(await server.daemon.stop(), 0)
  })
})
