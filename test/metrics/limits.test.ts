// A disk on which little room is left: pushes are refused before it is full, pulls go on; and what /health/ready says of each part.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sha256 } from '../support/content.ts'
import { cannotMount } from '../support/mounts.ts'
import { must } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import { cleanImage } from '../protocol/support/images.ts'
import { expectOk } from '../protocol/support/shapes.ts'
import { openWorld, type World } from '../protocol/support/world.ts'

const MiB = 1 << 20

interface Ready {
  status: string
  version: string
  parts: Record<string, string>
}

async function ready(world: World): Promise<{ code: number } & Ready> {
  const answer = await fetch(`http://${world.host}/health/ready`)
  return { code: answer.status, ...((await answer.json()) as Ready) }
}

describe('little room', { skip: lacking('mount', 'umount') || (await cannotMount()) }, () => {
  const stack = new AsyncDisposableStack()
  let world: World
  let disk: string
  before(async () => {
    disk = join(await scratch(stack, 'low'), 'disk')
    await mkdir(disk)
    await must('mount', ['-t', 'tmpfs', '-o', `size=${128 * MiB}`, 'tmpfs', disk])
    world = await openWorld(stack, {
      policy: 'observe',
      env: { LAZARET_BLOBS: join(disk, 'blobs'), LAZARET_DISK_LOW_WATER_BYTES: String(32 * MiB) },
    })
    expectOk(await world.admin.push('shop/kept', await cleanImage('kept'), '1'), 201)
    await world.decision('shop/kept:1')
  })
  after(() => stack.disposeAsync())

  test('below the mark each way of pushing is refused with 507, and pulls and deletes go on', async () => {
    const begun = expectOk(await world.admin.ask('/v2/shop/low/blobs/uploads/', { method: 'POST' }), 202)
    await take(100 * MiB)
    const path = begun.headers.get('location') ?? ''
    const blob = randomBytes(1000)
    for (const [method, url] of [
      ['POST', '/v2/shop/low/blobs/uploads/'],
      ['POST', `/v2/shop/low/blobs/uploads/?digest=${sha256(blob)}`],
      ['PATCH', path],
      ['PUT', `${path}?digest=${sha256(blob)}`],
      ['PUT', '/v2/shop/kept/manifests/2'],
    ] as const) {
      const answer = await world.admin.ask(url, { method, body: blob })
      assert.equal(answer.status, 507, `${method} ${url}`)
      assert.match(answer.body.toString('utf8'), /"UNAVAILABLE".*little room is left/)
    }
    expectOk(await world.admin.get('/v2/shop/kept/manifests/1'))
    const now = await ready(world)
    assert.equal(now.code, 200)
    assert.equal(now.status, 'limited')
    assert.match(now.parts['disk'] ?? '', /^limited: \d+ bytes are left/)
    const metrics = (await world.admin.get('/metrics')).body.toString('utf8')
    assert.match(metrics, /^lazaret_disk_low 1$/m)
    assert.match(metrics, /^lazaret_limits_refused_total\{limit="disk"\} 5$/m)
    expectOk(await world.admin.ask(path, { method: 'DELETE' }), 204)
    await give()
    expectOk(await world.admin.ask(`/v2/shop/low/blobs/uploads/?digest=${sha256(blob)}`, { method: 'POST', body: blob }), 201)
    assert.equal((await ready(world)).status, 'ok')
  })

  test('what says that it is larger than the room is refused before it comes', async () => {
    const answer = await new Promise<number>((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: world.port,
          path: '/v2/shop/low/blobs/uploads/',
          method: 'POST',
          headers: { authorization: authorization(), 'content-length': String(110 * MiB) },
        },
        (response) => {
          resolve(response.statusCode ?? 0)
          sent.destroy()
        },
      )
      sent.on('error', reject)
      sent.flushHeaders()
    })
    assert.equal(answer, 507)
  })

  test('an upload under way ends when the mark is passed, and gives its room back', async () => {
    const stored = (await blobFiles()).length
    const begun = expectOk(await world.admin.ask('/v2/shop/low/blobs/uploads/', { method: 'POST' }), 202)
    const outcome = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: world.port,
          path: begun.headers.get('location') ?? '',
          method: 'PATCH',
          headers: { authorization: authorization(), 'transfer-encoding': 'chunked' },
        },
        (response) => {
          response.setEncoding('utf8')
          let text = ''
          response.on('data', (chunk: string) => (text += chunk))
          response.on('close', () => resolve({ status: response.statusCode ?? 0, text }))
        },
      )
      sent.on('error', (error: NodeJS.ErrnoException) => error.code !== 'EPIPE' && error.code !== 'ECONNRESET' && reject(error))
      sent.write(Buffer.alloc(8 * MiB))
      void sleep(300)
        .then(() => take(90 * MiB))
        .then(() => sent.write(Buffer.alloc(4 * MiB)))
    })
    assert.equal(outcome.status, 507, outcome.text)
    assert.equal((await blobFiles()).length, stored)
    await give()
  })

  /** Leaves as little as that takes, and waits until the server has seen it. */
  async function take(bytes: number): Promise<void> {
    await writeFile(join(disk, 'filler'), Buffer.alloc(bytes))
    await world.house.disk.look()
    assert.ok(world.house.disk.low() !== undefined)
  }

  async function give(): Promise<void> {
    await rm(join(disk, 'filler'), { force: true })
    await world.house.disk.look()
  }

  async function blobFiles(): Promise<string[]> {
    const entries = await readdir(join(disk, 'blobs'), { recursive: true, withFileTypes: true })
    return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : []))
  }

  function authorization(): string {
    const { username, password } = world.admin.credentials ?? assert.fail()
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  }
})

describe('/health/ready', () => {
  const stack = new AsyncDisposableStack()
  let world: World
  before(async () => {
    world = await openWorld(stack)
  })
  after(() => stack.disposeAsync())

  test('says of each part that it is fine', async () => {
    const { code, status, parts, version } = await ready(world)
    assert.deepEqual(
      { code, status, parts },
      { code: 200, status: 'ok', parts: { records: 'ok', blobs: 'ok', disk: 'ok', advisories: 'ok', worker: 'ok', queue: 'ok' } },
    )
    assert.match(version, /^\d+\.\d+\.\d+/)
  })

  test('a worker that was killed begins anew, and only one that does not is a failing part', async (t) => {
    process.kill(world.house.workers.state().pid ?? assert.fail(), 'SIGKILL')
    while (world.house.workers.state().pid !== undefined) await sleep(20)
    assert.equal((await ready(world)).code, 200)
    assert.ok(world.house.workers.state().pid !== undefined, 'it runs again')
    t.mock.method(world.house.workers, 'state', () => ({ ended: 9, tasks: 0 }))
    await ready(world)
    const { code, status, parts } = await ready(world)
    assert.equal(code, 503)
    assert.equal(status, 'failing')
    assert.match(parts['worker'] ?? '', /^failing: the process that examines images/)
    t.mock.restoreAll()
  })

  test('work that is due while nothing moves is a failing part', async (t) => {
    const hourAgo = Date.now() - 3_600_000
    await world.house.runner.stop()
    await world.house.records.write((tx) =>
      tx
        .insertInto('jobs')
        .values({
          kind: 'examine',
          subject: 'sha256:x',
          state: 'waiting',
          attempts: 0,
          run_after: hourAgo,
          lease_until: null,
          problem: null,
          created_at: hourAgo,
        })
        .execute(),
    )
    assert.equal((await ready(world)).parts['queue'], 'ok', 'it may be busy with others')
    t.mock.method(world.house.runner, 'movedAt', () => hourAgo)
    const { code, parts } = await ready(world)
    assert.equal(code, 503)
    assert.match(parts['queue'] ?? '', /^failing: work \(examine\) is due since/)
    t.mock.restoreAll()
  })

  test('blobs that can’t be read are a failing part, and so are records that are gone', async () => {
    // Moved in one step: who still writes below it would stop a removal half way.
    await rename(join(world.folder, 'data', 'blobs'), join(world.folder, 'data', 'blobs-gone'))
    const { code, parts } = await ready(world)
    assert.equal(code, 503)
    assert.match(parts['blobs'] ?? '', /^failing: .*ENOENT/)
    await world.house.records.close()
    const after = await ready(world)
    assert.equal(after.code, 503)
    assert.match(after.parts['records'] ?? '', /^failing: /)
  })
})
