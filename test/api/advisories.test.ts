import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { imageOf } from '../support/images.ts'
import { startLazaret } from '../support/lazaret.ts'
import { pushAndJudge } from '../support/held.ts'
import { debianBase, npmApplication } from '../support/worlds.ts'
import { askerOf, basicOf } from './asking.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const server = await startLazaret(stack, { policy: 'balanced' })
const ask = askerOf(server.host, server.admin)
const data = join(server.folder, 'data')
const incoming = join(data, 'incoming')

/** An OSV record by which every version below `fixed` has a critical flaw. */
function flaw(id: string, name: string, fixed: string): Record<string, unknown> {
  const ranges = [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed }] }]
  return {
    schema_version: '1.7.0',
    id,
    modified: '2026-11-24T00:00:00Z',
    affected: [{ package: { ecosystem: 'npm', name }, ranges }],
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
  }
}

const lines = (...records: unknown[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('')
const upload = (raw: string | Uint8Array, query = '?name=given.jsonl') =>
  ask('POST', `/advisories/import${query}`, { raw, type: 'application/octet-stream' })
const revision = async () => (await ask('GET', '/advisories/status')).json.revision as string

async function pushWith(repository: string, name: string): Promise<void> {
  const image = await imageOf([
    { ...debianBase([{ name: 'tzdata', version: '2024a-0+deb12u1' }]), 'etc/salt': repository },
    npmApplication({ [name]: '1.0.0' }),
  ])
  await pushAndJudge(server, repository, '1', image, 'allow')
}

/** Waits until the stored verdict is another; asks again and again, as the page would. */
async function decisionBecomes(image: string, wanted: string, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs
  let last = ''
  while (Date.now() < deadline) {
    last = (await ask('GET', `/verdict?image=${image}`)).json.decision
    if (last === wanted) return
    await sleep(100)
  }
  assert.fail(`${image} is ${last} after ${withinMs} ms, not ${wanted}`)
}

test('what is sent is in force when the answer comes, and what was allowed is judged anew', async () => {
  await pushWith('shop/sent', 'a-package-of-ours')
  const reply = await upload(lines(flaw('GHSA-2222-2222-2222', 'a-package-of-ours', '2.0.0')))
  assert.equal(reply.status, 200, reply.text)
  assert.deepEqual([reply.json.changed, reply.json.files[0].path, reply.json.files[0].added], [true, 'given.jsonl', 1])
  assert.equal(await revision(), reply.json.revision)
  await decisionBecomes('shop/sent:1', 'deny', 10_000)
  const { json } = await ask('GET', '/verdict?image=shop/sent:1')
  assert.match(json.reasons[0].message, /GHSA-2222-2222-2222 in a-package-of-ours 1\.0\.0/)
  const pulled = await server.protocol(server.developer).manifest('shop/sent', '1')
  assert.equal(pulled.status, 403)
  const [entry] = (await ask('GET', '/audit-log?action=advisories.import')).json.items
  assert.deepEqual([entry.principal, entry.subject, entry.detail.files[0].added], ['user:admin', reply.json.revision, 1])
})

test('an import by the command beside the server is taken up within seconds, and back again', async () => {
  await pushWith('shop/beside', 'another-package-of-ours')
  const file = join(server.folder, 'beside.json')
  writeFileSync(file, JSON.stringify(flaw('GHSA-3333-3333-3333', 'another-package-of-ours', '2.0.0')))
  const beside = { env: { LAZARET_DATA: data, LAZARET_SERVER: '', LAZARET_USERNAME: '', LAZARET_PASSWORD: '' } }
  const before = await revision()
  const done = await server.lazaret(['advisories', 'import', file], beside)
  assert.equal(done.code, 0, done.output)
  assert.match(done.stdout, /osv +1 +1 +0[^]*beside\.json/)
  await decisionBecomes('shop/beside:1', 'deny', 15_000)
  assert.notEqual(await revision(), before)
  assert.match(server.daemon.log(), /other advisories are in force/)

  const withdrawn = {
    ...flaw('GHSA-3333-3333-3333', 'another-package-of-ours', '2.0.0'),
    modified: '2026-11-25T00:00:00Z',
    withdrawn: '2026-11-24T12:00:00Z',
  }
  writeFileSync(file, JSON.stringify(withdrawn))
  const asJson = await server.lazaret(['advisories', 'import', file, '--format', 'json'], beside)
  assert.equal(asJson.code, 0, asJson.output)
  assert.equal((JSON.parse(asJson.stdout) as { changed: boolean }).changed, true)
  await decisionBecomes('shop/beside:1', 'allow', 15_000)
})

test('the command sends files to a server that is named, and refuses folders', async () => {
  const file = join(server.folder, 'to send.jsonl.gz')
  writeFileSync(file, gzipSync(lines(flaw('GHSA-4444-4444-4444', 'a-third-package', '2.0.0'))))
  const sent = await server.lazaret(['advisories', 'import', file, file])
  assert.equal(sent.code, 0, sent.output)
  assert.match(sent.stdout, /to_send\.jsonl\.gz/)
  assert.match(sent.stdout, new RegExp(`revision ${await revision()} is in force`))
  const status = await server.lazaret(['advisories', 'status', '--format', 'json'])
  assert.equal((JSON.parse(status.stdout) as { revision: string }).revision, await revision())
  assert.equal((await server.lazaret(['advisories', 'import', server.folder])).code, 2)
  assert.equal((await server.lazaret(['advisories', 'import', join(server.folder, 'missing')])).code, 1)
  assert.equal((await server.lazaret(['advisories', 'import'])).code, 2)
})

test('what can not be read changes nothing, and leaves nothing', async () => {
  const before = await revision()
  for (const [raw, query, status, code] of [
    ['hello', '', 400, 'INPUT_INVALID'],
    ['', '', 400, 'INPUT_INVALID'],
    ['{"id":"GHSA-5555-5555-5555",', '', 422, 'UNREADABLE'],
    [gzipSync(Buffer.from(lines(flaw('GHSA-5555-5555-5555', 'x', '2.0.0')))).subarray(0, 60), '', 422, 'UNREADABLE'],
    [gzipSync(Buffer.alloc(128 * 1024 * 1024, 0x20)), '', 413, 'LIMIT_EXCEEDED'],
    ['{}', '?name=../../x', 400, 'INPUT_INVALID'],
    ['{}', '?name=.hidden', 400, 'INPUT_INVALID'],
    ['{}', `?name=${'x'.repeat(200)}`, 400, 'INPUT_INVALID'],
    ['{}', '?changed=yesterday', 400, 'INPUT_INVALID'],
    ['{}', '?path=/etc/passwd', 400, 'INPUT_INVALID'],
  ] as const) {
    const reply = await upload(raw, query)
    assert.deepEqual([reply.status, reply.json.code], [status, code], `${query} ${reply.text}`)
    assert.ok(!reply.text.includes(server.folder), `no path of the server's machine: ${reply.text}`)
  }
  assert.equal((await ask('POST', '/advisories/import', { raw: '{}', type: 'application/json' })).status, 415)
  assert.equal(await revision(), before)
  assert.deepEqual(existsSync(incoming) ? readdirSync(incoming) : [], [])
})

test('one at a time, and a sender that breaks off leaves nothing', async () => {
  const before = await revision()
  const { hostname, port } = new URL(`http://${server.host}`)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined) // it is destroyed below
  socket.write(
    `POST /api/v1/advisories/import HTTP/1.1\r\nHost: ${server.host}\r\nAuthorization: ${basicOf(server.admin)}\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\n{"id":`,
  )
  await waitFor(() => existsSync(incoming) && readdirSync(incoming).length === 1)
  const second = await upload(lines(flaw('GHSA-6666-6666-6666', 'y', '2.0.0')))
  assert.deepEqual([second.status, second.json.code], [409, 'CONFLICT'])
  socket.destroy()
  await waitFor(() => readdirSync(incoming).length === 0)
  assert.equal(await revision(), before)
  assert.equal((await upload(lines(flaw('GHSA-6666-6666-6666', 'y', '2.0.0')))).status, 200)
  assert.doesNotMatch(server.daemon.log(), /"level":"error"/)
})

test('the server stays ready throughout', async () => {
  const ready = await fetch(`http://${server.host}/health/ready`)
  assert.equal(ready.status, 200, await ready.text())
})

async function waitFor(what: () => boolean): Promise<void> {
  for (let turns = 0; turns < 100; turns++) {
    if (what()) return
    await sleep(50)
  }
  assert.fail(`in vain: ${what}`)
}
