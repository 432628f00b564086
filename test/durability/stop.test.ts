// Told to stop: what is under way ends, what hangs is cut, nothing new is taken, and what was not done is done by the next start.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openRecords } from '../../src/store/records/open.ts'
import { sha256 } from '../support/content.ts'
import { freePort, startDaemon } from '../support/daemon.ts'
import { eventually } from '../protocol/support/eventually.ts'
import { checkout, type Lazaret, startLazaret } from '../support/lazaret.ts'
import { scratch } from '../support/scratch.ts'
import { lacking, tool } from '../support/tools.ts'
import { stopWorker } from '../support/worker.ts'
import { repository, sender, type Send } from './load.ts'
import { headOf, openWire, portOf, type Wire } from './wire.ts'

const half = 'x'.repeat(500)

describe('told to stop', { skip: lacking('setpriv') }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())

  test('a request under way is answered, idle connections are closed, new ones are refused, and it ends with 0', async () => {
    const server = await startLazaret(stack, { policy: 'observe', env: { LAZARET_STOP_SECONDS: '30' } })
    const { wire, path, send } = await halfSent(server)
    const untouched = await openWire(portOf(server.host))
    const kept = await openWire(portOf(server.host))
    kept.socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n')
    await kept.until(/"ok"/)
    process.kill(server.daemon.pid, 'SIGINT') // npm passes on what the terminal has sent already: one signal, not two
    const ended = server.daemon.stop()
    await Promise.all([untouched.closed, kept.closed])
    await assert.rejects(openWire(portOf(server.host)), { code: 'ECONNREFUSED' })
    assert.equal(wire.socket.destroyed, false, 'the request under way is left alone')
    wire.socket.write(half)
    await wire.until(/^HTTP\/1\.1 202 /)
    await wire.closed
    assert.equal(await ended, 0, server.daemon.log().slice(-2000))
    assert.doesNotMatch(server.daemon.log(), /are cut|"level":"error"/)

    const again = await startLazaret(stack, { policy: 'observe', after: server })
    assert.equal((await send('PUT', `${path}?digest=${sha256(Buffer.from(half + half))}`)).status, 201, 'all of it was kept')
    await again.daemon.stop()
  })

  test('a client that hangs keeps it no longer than it may, and what it has sent can be gone on from', async () => {
    const server = await startLazaret(stack, { policy: 'observe', env: { LAZARET_STOP_SECONDS: '1' } })
    const { wire, path, send } = await halfSent(server)
    const asked = Date.now()
    assert.equal(await server.daemon.stop(), 0, server.daemon.log().slice(-2000))
    assert.ok(Date.now() - asked < 12_000, `took ${Date.now() - asked} ms`)
    await wire.closed
    assert.match(server.daemon.log(), /requests were still under way, and are cut/)
    const again = await startLazaret(stack, { policy: 'observe', after: server })
    const whole = Buffer.from(half + half)
    const received = (await send('GET', path)).headers.get('range') === '0-499' ? 500 : 0 // none of it was acknowledged
    assert.equal((await send('PUT', `${path}?digest=${sha256(whole)}`, whole.subarray(received))).status, 201)
    await again.daemon.stop()
  })

  test('a second signal ends it at once', async () => {
    const server = await startLazaret(stack, { policy: 'observe', env: { LAZARET_STOP_SECONDS: '3600' } })
    const { wire } = await halfSent(server)
    const ended = server.daemon.stop()
    let isOver = false
    void wire.closed.then(() => (isOver = true))
    for (let tries = 0; tries < 60 && !isOver; tries++) {
      await sleep(200)
      if (!isOver) signal(server.daemon.pid, 'SIGTERM')
    }
    assert.equal(await ended, 143)
  })

  test('a job under way goes back to the queue as it was, though its worker hangs', async () => {
    const server = await startLazaret(stack, { policy: 'observe' })
    using _worker = await stopWorker(server)
    const send = await sender(server)
    const blob = Buffer.from('a layer that nobody gets to read')
    assert.equal((await send('POST', `/v2/${repository}/blobs/uploads/?digest=${sha256(blob)}`, blob)).status, 201)
    await eventually(async () => {
      assert.deepEqual(await jobsOf(server), [{ kind: 'inventory', state: 'running', attempts: 1 }])
    })
    assert.equal(await server.daemon.stop(), 0, server.daemon.log().slice(-2000))
    assert.deepEqual(await jobsOf(server), [{ kind: 'inventory', state: 'waiting', attempts: 0 }])
  })

  test('npm start passes the signal on', async () => {
    const folder = await scratch(stack, 'npm')
    const host = `127.0.0.1:${await freePort()}`
    const daemon = await startDaemon(stack, {
      command: tool('npm'),
      args: ['start', '--silent'],
      cwd: checkout,
      env: { LAZARET_LISTEN: host, LAZARET_DATA: join(folder, 'data'), LAZARET_OFFLINE: 'true', HOME: folder },
      ready: () =>
        fetch(`http://${host}/health/live`).then(
          ({ ok }) => ok,
          () => false,
        ),
    })
    assert.equal(await daemon.stop(), 0, daemon.log().slice(-2000))
    await assert.rejects(openWire(portOf(host)), { code: 'ECONNREFUSED' })
    assert.match(daemon.log(), /"msg":"stopping"/)
  })

  /** A chunk of 1,000 bytes of which 500 are sent and have arrived. */
  async function halfSent(server: Lazaret): Promise<{ wire: Wire; path: string; send: Send }> {
    const token = await server.protocol(server.developer).token(`repository:${repository}:pull,push`)
    const send = await sender(server)
    const path = (await send('POST', `/v2/${repository}/blobs/uploads/`)).headers.get('location') ?? assert.fail()
    const wire = await openWire(portOf(server.host))
    wire.socket.write(headOf('PATCH', path, `Bearer ${token}`, 1000) + half)
    await eventually(async () => assert.equal((await send('PATCH', path)).status, 409, 'it has the upload'))
    assert.equal(wire.text(), '')
    return { wire, path, send }
  }

  async function jobsOf(server: Lazaret): Promise<unknown[]> {
    const records = await openRecords(join(server.folder, 'data'))
    try {
      return (await records.read.selectFrom('jobs').select(['kind', 'state', 'attempts']).execute()).map((job) => ({ ...job }))
    } finally {
      await records.close()
    }
  }
})

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
