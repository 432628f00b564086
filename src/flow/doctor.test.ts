import assert from 'node:assert/strict'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { loadSettings } from '../kit/settings/settings.ts'
import { openRecords } from '../store/records/open.ts'
import { freePort } from '../../test/support/daemon.ts'
import { scratch } from '../../test/support/scratch.ts'
import { examineInstallation, type Diagnosis } from './doctor.ts'
import { lookAtNode, lookAtOpenFiles } from './doctor/machine.ts'

interface Installation {
  data: string
  examine: (env?: Record<string, string>, now?: number) => Promise<Diagnosis[]>
}

/** Records as a server leaves them, in a folder as it makes it. */
async function installation(stack: AsyncDisposableStack): Promise<Installation> {
  const folder = await scratch(stack, 'doctor')
  const data = join(folder, 'data')
  await mkdir(data, { mode: 0o700 })
  await (await openRecords(data)).close()
  const examine = (env: Record<string, string> = {}, now = Date.now()) => {
    const settings = loadSettings({ env: { LAZARET_DATA: data, LAZARET_DISK_LOW_WATER_BYTES: '1', ...env }, cwd: folder })
    return examineInstallation({ settings, named: settings.server, version: '1.2.3', now: () => now, env })
  }
  return { data, examine }
}

function standingOf(found: Diagnosis[], check: string): string {
  return (
    found
      .filter((one) => one.check === check)
      .map(({ standing, says }) => `${standing}: ${says}`)
      .join('\n') || 'not looked at'
  )
}

test('each thing that is wrong is said, with how to mend it', async () => {
  await using stack = new AsyncDisposableStack()
  const { data, examine } = await installation(stack)
  assert.match(standingOf(await examine(), 'records'), /^fine: schema /)
  assert.match(standingOf(await examine(), 'data folder'), /^fine/)
  await chmod(data, 0o755)
  await mkdir(join(data, 'keys'))
  await writeFile(join(data, 'keys', 'token.key'), 'x', { mode: 0o644 })
  const found = await examine({ LAZARET_DISK_LOW_WATER_BYTES: String(2 ** 49) })
  assert.match(standingOf(found, 'data folder'), /^wrong: .* has the mode 0755: others on this machine can get in/)
  assert.match(standingOf(found, 'secrets'), /^wrong: .*token\.key/)
  assert.match(standingOf(found, 'disk'), /^wrong: .*pushes are refused below/)
  for (const { standing, remedy } of found) assert.equal(remedy !== undefined, standing === 'wrong' || standing === 'warning')
})

test('a proxy in front that is not named, or anybody taken for one', async () => {
  await using stack = new AsyncDisposableStack()
  const { examine } = await installation(stack)
  const behind = { LAZARET_BEHIND_PROXY: 'true', LAZARET_LISTEN: '0.0.0.0:5000', LAZARET_PUBLIC_URL: 'https://registry.example' }
  assert.match(standingOf(await examine(behind), 'settings'), /^warning: .*only a proxy on this machine is believed/m)
  const named = standingOf(await examine({ ...behind, LAZARET_TRUSTED_PROXIES: '10.0.0.7' }), 'settings')
  assert.equal(named, 'note: behindProxy is on, and 0.0.0.0:5000 may be reached past the proxy, without TLS')
  const anybody = standingOf(await examine({ ...behind, LAZARET_TRUSTED_PROXIES: '10.0.0.7,::/0' }), 'settings')
  assert.match(anybody, /^warning: trustedProxies has ::\/0: whoever sends X-Forwarded-For is taken for any address/m)
  assert.match(standingOf(await examine({ LAZARET_BEHIND_PROXY: 'true' }), 'settings'), /^note: .*without publicUrl/)
})

test('records of another version, damaged ones, and a clock that was set back', async () => {
  await using stack = new AsyncDisposableStack()
  const { data, examine } = await installation(stack)
  const path = join(data, 'records.sqlite')
  const change = (statement: string) => {
    const database = new DatabaseSync(path)
    database.exec(statement)
    database.close()
  }
  const year = 31_536_000_000
  change("insert into blobs (digest, size, object_key, created_at) values ('sha256:a', 1, 'a', " + Date.now() + ')')
  assert.match(standingOf(await examine(), 'clock'), /^fine/)
  assert.match(standingOf(await examine({}, Date.now() - year), 'clock'), /^wrong: the newest record is of .* set back/)
  change("update blobs set damaged_at = 1, damage = 'x'")
  change("insert into jobs (kind, subject, state, attempts, run_after, created_at) values ('examine', 'x', 'failed', 7, 0, 0)")
  assert.match(standingOf(await examine(), 'damage'), /^wrong: 1 blobs/)
  assert.match(standingOf(await examine(), 'jobs'), /^warning: 1 were given up/)
  change("update meta set value = '0002-holders' where key = 'schema'")
  assert.match(standingOf(await examine(), 'records'), /^note: schema 0002-holders is of an older version/)
  change("update meta set value = '9999-later' where key = 'schema'")
  assert.match(standingOf(await examine(), 'records'), /^wrong: schema 9999-later is of a newer version/)
  await writeFile(path, Buffer.alloc(8192, 'x'))
  assert.match(standingOf(await examine(), 'records'), /^wrong: the records can't be read: /)
})

test('a look changes nothing, and a folder that was never used is no fault', async () => {
  await using stack = new AsyncDisposableStack()
  const { data, examine } = await installation(stack)
  await rm(data, { recursive: true })
  const found = await examine()
  assert.deepEqual(
    found.filter(({ standing }) => standing === 'wrong'),
    [],
  )
  assert.match(standingOf(found, 'data folder'), /^note: .* the first start makes it/)
  await assert.rejects(rm(data))
})

test('settings that clash are named', async () => {
  await using stack = new AsyncDisposableStack()
  const { examine } = await installation(stack)
  const said = standingOf(
    await examine({
      LAZARET_METRICS_LISTEN: '0.0.0.0:5000',
      LAZARET_GC_GRACE_SECONDS: '60',
      LAZARET_BEHIND_PROXY: 'true',
      LAZARET_PUBLIC_URL: 'http://registry.example',
    }),
    'settings',
  )
  assert.match(said, /^wrong: metrics\.listen and listen are both/m)
  assert.match(said, /^warning: gc\.graceSeconds is 60/m)
  assert.match(said, /^warning: publicUrl has http:/m)
})

test('a server is asked for its parts and its version; what does not answer, or is something else, is wrong', async () => {
  await using stack = new AsyncDisposableStack()
  const { examine } = await installation(stack)
  let body = JSON.stringify({
    status: 'failing',
    version: '1.2.2',
    parts: { records: 'failing: gone', disk: 'limited: 5 bytes', queue: 'ok' },
  })
  let date = new Date().toUTCString()
  const server = createServer((_request, response) => response.writeHead(503, { date }).end(body))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stack.defer(() => server.closeAllConnections())
  const env = { LAZARET_SERVER: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  const found = await examine(env)
  assert.match(standingOf(found, 'server'), /^warning: .* runs version 1\.2\.2, and this command is 1\.2\.3/)
  assert.match(standingOf(found, 'server: records'), /^wrong: failing: gone/)
  assert.match(standingOf(found, 'server: disk'), /^warning: limited/)
  assert.equal(standingOf(found, 'server: queue'), 'not looked at')
  date = new Date(Date.now() - 600_000).toUTCString()
  assert.match(standingOf(await examine(env), 'clock'), /^wrong: the server's clock and this one are \d+ s apart/)
  for (const other of ['<html>', 'null', '[]', '{"status":1}', 'x'.repeat(100_000)]) {
    body = other
    assert.match(standingOf(await examine(env), 'server'), /^wrong: .*what answers is not Lazaret/, other.slice(0, 20))
  }
  server.close()
  const nobody = { LAZARET_SERVER: `http://127.0.0.1:${await freePort()}` }
  assert.match(standingOf(await examine(nobody), 'server'), /^wrong: .*ECONNREFUSED/)
})

test('Node and the limit on open files', () => {
  assert.equal(lookAtNode('24.15.0').standing, 'fine')
  assert.equal(lookAtNode('24.14.9').standing, 'wrong')
  assert.equal(lookAtNode('26.0.0').standing, 'fine')
  const limits = (soft: string) => () =>
    `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft}                 1048576              files\n`
  assert.equal(lookAtOpenFiles(1, limits('1024')).standing, 'wrong')
  assert.equal(lookAtOpenFiles(1, limits('4096')).standing, 'warning')
  assert.equal(lookAtOpenFiles(1, limits('unlimited')).standing, 'fine')
  assert.equal(lookAtOpenFiles(1, () => 'rubbish').standing, 'note')
})
