// Clients that send slowly, without end, or not at all: each is bounded, what can go on does, and a slow push that is meant goes through.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sha256 } from '../support/content.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { must } from '../support/run.ts'
import { lacking } from '../support/tools.ts'
import { repository, sender, type Send } from './load.ts'
import { headOf, openWire, portOf, type Wire } from './wire.ts'

const idleConnections = 10_000
const windowSeconds = 2

describe('clients that are slow', { skip: lacking('setpriv', 'prlimit') }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  let server: Lazaret
  let send: Send
  let bearer: string

  before(async () => {
    const files = String(idleConnections + 2000)
    await must('prlimit', ['--pid', String(process.pid), `--nofile=${files}:${files}`])
    server = await startLazaret(stack, {
      policy: 'observe',
      env: { LAZARET_LIMITS_HEAD_SECONDS: '2', LAZARET_LIMITS_BODY_SECONDS: String(windowSeconds) },
    })
    send = await sender(server)
    bearer = `Bearer ${await server.protocol(server.developer).token(`repository:${repository}:pull,push`)}`
  })

  test('a head that comes byte by byte is given up with 408', async () => {
    const wire = await openWire(portOf(server.host))
    const dripping = drip(wire, `GET /v2/ HTTP/1.1\r\nhost: x\r\nx-padding: ${'x'.repeat(100_000)}`, 1, 100)
    await wire.until(/^HTTP\/1\.1 408 /)
    await wire.closed
    assert.ok((await dripping) < 200)
  })

  test('a body that comes byte by byte is given up with 408 and the reason; its upload can be gone on from', async () => {
    const path = await begin()
    const wire = await openWire(portOf(server.host))
    wire.socket.write(headOf('PATCH', path, bearer, 100_000))
    const dripping = drip(wire, 'y'.repeat(100_000), 1, 100)
    await wire.until(/^HTTP\/1\.1 408 [^]*"TIMED_OUT"[^]*less than 500 bytes a second came over 2 s/)
    await wire.closed
    const came = await dripping
    assert.ok(came < 200, `${came} bytes`)
    const received = await receivedOf(path)
    assert.ok(received > 1 && received <= came, `${received} of ${came}`)
    const whole = Buffer.alloc(100_000, 'y')
    assert.equal((await send('PUT', `${path}?digest=${sha256(whole)}`, whole.subarray(received))).status, 201)
  })

  test('so is a body that stops, at once or half way, wherever it was to go', async () => {
    const path = await begin()
    const digest = sha256(Buffer.from('never'))
    const form = 'application/x-www-form-urlencoded'
    const targets: [string, string, string?][] = [
      ['POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`],
      ['PATCH', path],
      ['PUT', `${path}?digest=${digest}`],
      ['PUT', `/v2/${repository}/manifests/slow`, 'application/vnd.oci.image.manifest.v1+json'],
      ['POST', '/token', form],
      ['POST', '/api/v1/users', 'application/json'],
    ]
    const ends = targets.map(async ([method, url, type]) => {
      const authorization = url.startsWith('/api') ? `Basic ${Buffer.from(`admin:${server.admin.password}`).toString('base64')}` : bearer
      const wire = await openWire(portOf(server.host))
      wire.socket.write(headOf(method, url, authorization, 1000, type) + 'half')
      await wire.until(/^HTTP\/1\.1 (408|409) /)
      await wire.closed
      return /^HTTP\/1\.1 (\d+)/.exec(wire.text())?.[1]
    })
    const statuses = await Promise.all(ends)
    assert.equal(statuses.filter((status) => status === '409').length, 1, 'one of two writers of one upload')
    assert.equal(statuses.filter((status) => status === '408').length, targets.length - 1)
    assert.equal((await send('GET', `/v2/${repository}/manifests/slow`)).status, 404)
    assert.equal((await send('GET', `/v2/${repository}/blobs/${digest}`)).status, 404)
    assert.equal((await send('DELETE', path)).status, 204)
  })

  test('a body without end is read no further than it may be where it has a bound', async () => {
    const wire = await openWire(portOf(server.host))
    wire.socket.write(headOf('PUT', `/v2/${repository}/manifests/endless`, bearer, 'chunked', 'application/vnd.oci.image.manifest.v1+json'))
    const sent = await flood(wire)
    await wire.until(/^HTTP\/1\.1 413 [^]*4194304 bytes at most/)
    await wire.closed
    assert.ok(sent < 64 << 20, `${sent} bytes were taken`)
    const form = await openWire(portOf(server.host))
    form.socket.write(headOf('POST', '/token', bearer, 'chunked', 'application/x-www-form-urlencoded'))
    await flood(form)
    await form.until(/^HTTP\/1\.1 413 /)
    await form.closed
    const user = await openWire(portOf(server.host))
    const admin = `Basic ${Buffer.from(`admin:${server.admin.password}`).toString('base64')}`
    user.socket.write(headOf('POST', '/api/v1/users', admin, 'chunked', 'application/json'))
    await flood(user)
    await user.until(/^HTTP\/1\.1 413 /)
    await user.closed
  })

  test('a push that is slower than the window is long, and pauses, goes through', async () => {
    const blob = randomBytes(6000)
    const path = await begin()
    const wire = await openWire(portOf(server.host))
    wire.socket.write(headOf('PUT', `${path}?digest=${sha256(blob)}`, bearer, blob.length))
    const started = Date.now()
    for (let at = 0; at < blob.length; at += 1500) {
      wire.socket.write(blob.subarray(at, at + 1500))
      await sleep(windowSeconds * 350) // a pace, not a wait: some 2,100 bytes a second
    }
    await wire.until(/^HTTP\/1\.1 201 /)
    assert.ok(Date.now() - started > windowSeconds * 1000)
    wire.socket.destroy()
  })

  test('a crowd that comes while the server is busy is let in, and has not to knock again', async (t) => {
    const mostHere = Number(await readFile('/proc/sys/net/core/somaxconn', 'utf8'))
    if (mostHere < 2000) return t.skip(`the kernel holds ${mostHere} connections at most`)
    process.kill(server.daemon.pid, 'SIGSTOP')
    try {
      const crowd = Promise.all(Array.from({ length: 1500 }, () => openWire(portOf(server.host))))
      assert.ok(await Promise.race([crowd, sleep(30_000, false, { ref: false })]), 'they wait outside')
      for (const { socket } of await crowd) socket.destroy()
    } finally {
      process.kill(server.daemon.pid, 'SIGCONT')
    }
    assert.equal((await fetch(`http://${server.host}/health/ready`)).status, 200)
  })

  test(`${idleConnections} idle connections keep nobody waiting, cost little memory, and are closed`, async (t) => {
    const before = await memoryOf(server.daemon.pid)
    const wires: Wire[] = []
    while (wires.length < idleConnections)
      wires.push(...(await Promise.all(Array.from({ length: 500 }, () => openWire(portOf(server.host))))))
    const asked = performance.now()
    assert.equal((await fetch(`http://${server.host}/health/ready`)).status, 200)
    const blob = randomBytes(100_000)
    assert.equal((await send('POST', `/v2/${repository}/blobs/uploads/?digest=${sha256(blob)}`, blob)).status, 201)
    const took = performance.now() - asked
    const grown = (await memoryOf(server.daemon.pid)) - before
    await Promise.all(wires.map(({ closed }) => closed))
    assert.equal((await fetch(`http://${server.host}/health/ready`)).status, 200)
    const { length } = await readdir(`/proc/${server.daemon.pid}/fd`)
    t.diagnostic(`beside ${idleConnections} connections: a probe and a push took ${Math.round(took)} ms, ${Math.round(grown)} MiB more`)
    assert.ok(took < 10_000, `${took} ms`)
    assert.ok(grown < 400, `${grown} MiB`)
    assert.ok(length < 200, `${length} files are open after`)
  })

  async function begin(): Promise<string> {
    return (await send('POST', `/v2/${repository}/blobs/uploads/`)).headers.get('location') ?? assert.fail()
  }

  async function receivedOf(path: string): Promise<number> {
    const range = (await send('GET', path)).headers.get('range') ?? ''
    return Number(range.split('-')[1]) + 1
  }
})

/** Out: how many bytes went out before the server closed. */
async function drip(wire: Wire, text: string, bytes: number, everyMs: number): Promise<number> {
  let at = 0
  for (; at < text.length && wire.socket.writable; at += bytes) {
    wire.socket.write(text.slice(at, at + bytes))
    await sleep(everyMs)
  }
  return at
}

/** Chunks without end. Out: how many bytes went out before the server closed. */
async function flood(wire: Wire): Promise<number> {
  const piece = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, ' '), Buffer.from('\r\n')])
  let sent = 0
  while (!wire.socket.destroyed && wire.text() === '') {
    await new Promise<void>((resolve) => wire.socket.write(piece, () => resolve()))
    sent += piece.length
  }
  return sent
}

/** Out: MiB. */
async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(join('/proc', String(pid), 'status'), 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024
}
