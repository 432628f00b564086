import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createVerdictWaiters } from './verdicts.ts'

const long = () => Date.now() + 60_000

test('what is there already is given at once', async () => {
  const waiters = createVerdictWaiters()
  assert.equal(await waiters.waitFor(1, 1, async () => 'verdict', 0), 'verdict')
})

test('an announcement wakes those who wait for that place, all of them, and no others', async () => {
  const waiters = createVerdictWaiters()
  let looks = 0
  let found: string | undefined = undefined
  const look = async () => {
    looks++
    return found
  }
  const waiting = Array.from({ length: 100 }, () => waiters.waitFor(1, 2, look, long()))
  const controller = new AbortController()
  let otherLooks = 0
  const other = waiters.waitFor(2, 1, async () => void otherLooks++, long(), controller.signal)
  await sleep(5)
  const start = performance.now()
  found = 'verdict'
  waiters.announce(1, 2)
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set(['verdict']))
  assert.ok(performance.now() - start < 200, 'woken, not by the poll')
  assert.ok(looks <= 300)
  assert.ok(otherLooks <= 2)
  controller.abort()
  assert.equal(await other, undefined)
})

test('an announcement that changes nothing goes on waiting', async () => {
  const waiters = createVerdictWaiters()
  let found: string | undefined = undefined
  const waiting = waiters.waitFor(1, 2, async () => found, long())
  for (let at = 0; at < 5; at++) {
    await sleep(1)
    waiters.announce(1, 2)
  }
  found = 'at last'
  waiters.announce(1, 2)
  assert.equal(await waiting, 'at last')
})

test('a verdict that another node made is found without an announcement', async () => {
  const waiters = createVerdictWaiters()
  let found: string | undefined = undefined
  const waiting = waiters.waitFor(1, 2, async () => found, long())
  await sleep(1)
  found = 'elsewhere'
  assert.equal(await waiting, 'elsewhere')
})

test('at the deadline it ends with nothing, after one last look', async () => {
  const waiters = createVerdictWaiters()
  let looks = 0
  const start = performance.now()
  assert.equal(await waiters.waitFor(1, 2, async () => void looks++, Date.now() + 60), undefined)
  assert.ok(performance.now() - start >= 50)
  assert.ok(looks >= 2)
  assert.equal(await waiters.waitFor(1, 2, async () => undefined, Date.now() - 1), undefined)
})

test('a client that hangs up ends it', async () => {
  const waiters = createVerdictWaiters()
  const controller = new AbortController()
  const waiting = waiters.waitFor(1, 2, async () => undefined, long(), controller.signal)
  await sleep(1)
  controller.abort()
  assert.equal(await waiting, undefined)
  assert.equal(await waiters.waitFor(1, 2, async () => undefined, long(), controller.signal), undefined)
})

test('a look that fails fails the waiting', async () => {
  const waiters = createVerdictWaiters()
  await assert.rejects(
    waiters.waitFor(1, 2, async () => Promise.reject(new Error('records are gone')), long()),
    /records are gone/,
  )
})

test('nothing is left listening', async () => {
  const waiters = createVerdictWaiters()
  const controller = new AbortController()
  let found: string | undefined = undefined
  const waiting = Array.from({ length: 50 }, () => waiters.waitFor(1, 2, async () => found, long(), controller.signal))
  for (let at = 0; at < 10; at++) {
    await sleep(1)
    waiters.announce(1, 2)
  }
  assert.ok(getEventListeners(controller.signal, 'abort').length <= 50)
  found = 'verdict'
  waiters.announce(1, 2)
  await Promise.all(waiting)
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  assert.equal(waiters.waiting(), 0)
})
