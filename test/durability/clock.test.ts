// A clock that jumps while the server serves: nothing is lost by it, nothing is allowed by it, and what waits does not wait for it.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually } from '../protocol/support/eventually.ts'
import { sha256 } from '../support/content.ts'
import { imageOf } from '../support/images.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import { stopWorker } from '../support/worker.ts'
import { repository, sender, type Send } from './load.ts'

const library = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`).find(existsSync)
const hour = 3600

describe('a clock that jumps', { skip: lacking('setpriv', 'faketime') }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  let server: Lazaret
  let send: Send
  let clock: string

  before(async () => {
    clock = join(await scratch(stack, 'clock'), 'offset')
    await writeFile(clock, '+0')
    server = await startLazaret(stack, {
      policy: 'observe',
      env: {
        LD_PRELOAD: library ?? assert.fail('faketime came without its library'),
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_NO_CACHE: '1',
        DONT_FAKE_MONOTONIC: '1',
      },
    })
    send = await sender(server)
  })

  for (const [words, seconds] of [
    ['an hour forward', hour],
    ['an hour back again', 0],
    ['an hour back', -hour],
    ['to where it was', 0],
  ] as const) {
    test(`${words}: pushes go on, what is there stays, what is pushed is judged, and no token lives longer`, async () => {
      const begun = (await send('POST', `/v2/${repository}/blobs/uploads/`)).headers.get('location') ?? assert.fail()
      const before = await sender(server)
      assert.equal((await before('GET', '/v2/')).status, 200, 'it is remembered as good')
      const worker = await stopWorker(server)
      const image = await imageOf(Array.from({ length: 8 }, (_, layer) => ({ [`${layer} ${seconds}`]: words })))
      await server.protocol(server.developer).push(repository, image, 'jump')
      await jumpTo(seconds)
      worker.goOn() // what was pushed waited
      assert.equal((await before('GET', '/v2/')).status, 401, 'a token that is not of this time')
      send = await sender(server)
      const half = Buffer.from(`begun before ${words}`)
      assert.equal((await send('PUT', `${begun}?digest=${sha256(half)}`, half)).status, 201, 'an upload outlives it')
      const verdict = await server.api(`/verdict?image=${repository}:jump&wait=30`)
      assert.doesNotMatch(verdict.body.toString(), /"decision":"pending"/)
      const next = await imageOf([{ [`after ${seconds}`]: words }])
      await server.protocol(server.developer).push(repository, next, 'after')
      const judged = await server.api(`/verdict?image=${repository}:after&wait=30`)
      assert.doesNotMatch(judged.body.toString(), /"decision":"pending"/)
      assert.equal((await server.lazaret(['gc'])).code, 0)
      for (const tag of ['jump', 'after']) assert.equal((await server.protocol(server.developer).manifest(repository, tag)).status, 200)
      assert.equal((await server.lazaret(['audit', 'verify'])).code, 0)
      assert.equal((await fetch(`http://${server.host}/health/ready`)).status, 200)
    })
  }

  /** In: seconds from the true time. Returns when the server has it. */
  async function jumpTo(seconds: number): Promise<void> {
    await writeFile(clock, `${seconds < 0 ? '' : '+'}${seconds}`)
    await eventually(async () => {
      const told = Date.parse((await fetch(`http://${server.host}/health/live`)).headers.get('date') ?? '')
      assert.ok(Math.abs(told - Date.now() - seconds * 1000) < 30_000, new Date(told).toISOString())
    }, 250)
  }
})
