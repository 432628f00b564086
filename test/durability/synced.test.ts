// SIGKILL says nothing about the loss of power: here the system calls of a push are read. What a 201 speaks of is synced before it.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { descriptorOf, sha256 } from '../support/content.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { startPostgres } from '../support/postgres.ts'
import { lacking } from '../support/tools.ts'
import { type Call, callsOf, parseCalls } from './calls.ts'
import { repository, sender } from './load.ts'
import { treeOf } from './tree.ts'

const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const syncs = new Set(['fsync', 'fdatasync'])

describe('what is synced before a 201', { skip: lacking('strace', 'setpriv', 'postgres', 'initdb', 'createdb', 'pg_isready') }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())

  test('over SQLite', async () => {
    const server = await startLazaret(stack, { policy: 'observe' })
    await pushTraced(server, await treeOf(server.daemon.pid), /\/records\.sqlite-wal>/)
  })

  test('over PostgreSQL', async () => {
    const postgres = await startPostgres(stack)
    const server = await startLazaret(stack, { policy: 'observe', env: { LAZARET_DATABASE: await postgres.createDatabase('synced') } })
    const processes = [...(await treeOf(server.daemon.pid)), ...(await treeOf(postgres.daemon.pid))]
    await pushTraced(server, processes, /\/pg_wal\/[0-9A-F]{24}>/)
  })

  /** In: what syncs of the records' log look like. */
  async function pushTraced(server: Lazaret, pids: number[], log: RegExp): Promise<void> {
    const send = await sender(server)
    const blob = randomBytes(200_000)
    const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}')
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestType,
        config: descriptorOf('application/vnd.oci.image.config.v1+json', config),
        layers: [descriptorOf('application/vnd.oci.image.layer.v1.tar', blob)],
      }),
    )
    const put = async (path: string, body: Buffer, type?: string) => assert.equal((await send('PUT', path, body, type)).status, 201)
    await send('POST', `/v2/${repository}/blobs/uploads/?digest=${sha256(config)}`, config)
    const calls = await callsOf(pids, join(server.folder, 'calls'), async () => {
      const begun = await send('POST', `/v2/${repository}/blobs/uploads/`)
      await put(`${begun.headers.get('location') ?? ''}?digest=${sha256(blob)}`, blob)
      await put(`/v2/${repository}/manifests/1`, manifest, manifestType)
    })
    holdsFor(calls, log)
  }
})

/** A blob's data and its folder, then the record, then its 201; the manifest's record, then its 201. */
function holdsFor(calls: Call[], log: RegExp): void {
  const [blobAnswer, manifestAnswer, ...more] = calls.filter((call) => /"HTTP\/1\.1 201 Created/.test(call.text))
  assert.ok(blobAnswer !== undefined && manifestAnswer !== undefined && more.length === 0, 'two answers of 201 were written')
  const object = /\/blobs\/[0-9a-f]{2}\/[0-9a-f]{32}>/
  const written = last(calls, (call) => /^p?writev?(64|2)?$/.test(call.name) && object.test(call.text), 'writes of the blob')
  const data = first(calls, (call) => syncs.has(call.name) && object.test(call.text), 'a sync of the blob')
  const folder = first(calls, (call) => syncs.has(call.name) && /\/blobs\/[0-9a-f]{2}>/.test(call.text), 'a sync of its folder')
  const isLogSync = (call: Call) => syncs.has(call.name) && log.test(call.text)
  const record = first(
    calls,
    (call) => isLogSync(call) && call.begun > Math.max(data.ended, folder.ended),
    'a sync of the records after those of the blob and its folder',
  )
  before(written, data, 'the blob is written before it is synced')
  before(record, blobAnswer, 'the blob is recorded before its 201')
  const named = first(calls, (call) => isLogSync(call) && call.begun > blobAnswer.ended, 'a sync of the records for the manifest')
  before(named, manifestAnswer, 'the manifest is recorded before its 201')
  for (const call of [written, data, folder, record, named]) assert.equal(call.failed, false, call.text)
}

function before(a: Call, b: Call, what: string): void {
  assert.ok(a.ended < b.begun, `${what}: line ${a.ended} ${a.text}, line ${b.begun} ${b.text}`)
}

function first(calls: Call[], is: (call: Call) => boolean, what: string): Call {
  return calls.find(is) ?? assert.fail(`there is no ${what} among ${calls.length} calls`)
}

function last(calls: Call[], is: (call: Call) => boolean, what: string): Call {
  return calls.findLast(is) ?? assert.fail(`there are no ${what} among ${calls.length} calls`)
}

test('calls are read as strace writes them, and one out of order is found', () => {
  const key = '0123456789abcdef0123456789abcdef'
  const lines = [
    `7  pwritev(9</d/blobs/01/${key}>, [{iov_base="x", iov_len=1}], 1, 0) = 1`,
    `8  fsync(9</d/blobs/01/${key}> <unfinished ...>`,
    '7  write(3<socket:[1]>, "HTTP/1.1 202 Accepted", 21) = 21',
    '8  <... fsync resumed>)            = 0',
    '8  fsync(9</d/blobs/01>) = 0',
    '7  fdatasync(5</d/records.sqlite-wal>) = 0',
    '7  writev(3<socket:[1]>, [{iov_base="HTTP/1.1 201 Created", iov_len=20}], 1) = 20',
    '7  fdatasync(5</d/records.sqlite-wal>) = 0',
    '7  write(3<socket:[1]>, "HTTP/1.1 201 Created", 20) = 20',
  ]
  const log = /\/records\.sqlite-wal>/
  holdsFor(parseCalls(lines.join('\n')), log)
  const without = (at: number) => parseCalls(lines.toSpliced(at, 1).join('\n'))
  for (const at of [0, 4, 5, 7]) assert.throws(() => holdsFor(without(at), log), assert.AssertionError, `without ${lines[at]}`)
  const late = lines.toSpliced(3, 1).toSpliced(5, 0, lines[3] ?? '')
  assert.throws(() => holdsFor(parseCalls(late.join('\n')), log), /recorded before its 201/)
  const refused = lines.with(4, '8  fsync(9</d/blobs/01>) = -1 EIO (Input/output error)')
  assert.throws(() => holdsFor(parseCalls(refused.join('\n')), log), assert.AssertionError)
})
