// What keeps the stage small under a flood: the slots, the bounded map and the throttle.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createBoundedMap } from './bounded-map.ts'
import { createSlots } from '../kit/slots.ts'
import { createThrottle } from './throttle.ts'

test('slots: never more at once, in order, and free again after an error', async () => {
  const run = createSlots({ atOnce: 2, waiting: 100 })
  const seen: number[] = []
  let running = 0
  let most = 0
  const work = (id: number) => async () => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    seen.push(id)
    if (id % 3 === 0) throw new Error('broken')
  }
  const outcomes = await Promise.allSettled(Array.from({ length: 30 }, (_, id) => run(work(id))))
  assert.equal(outcomes.filter((outcome) => outcome.status === 'rejected').length, 10)
  assert.deepEqual([most, running, seen], [2, 0, Array.from({ length: 30 }, (_, id) => id)])
})

test('bounded map: at most so many, the one unused for longest goes, each until its instant', () => {
  const map = createBoundedMap<number>(2)
  map.set('a', 1, 10)
  map.set('b', 2, 10)
  assert.equal(map.get('a', 9), 1)
  map.set('c', 3, 10)
  assert.deepEqual([map.get('a', 9), map.get('b', 9), map.get('c', 9), map.get('c', 10), map.size], [1, undefined, 3, undefined, 1])
})

test('bounded map: after any steps no larger than it may be, and never with a value that was not set last', () => {
  const step = fc.tuple(fc.constantFrom('set', 'get', 'delete'), fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.nat(20))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const map = createBoundedMap<number>(3)
      const last = new Map<string, { value: number; until: number }>()
      steps.forEach(([what, key, until], now) => {
        if (what === 'set') {
          map.set(key, now, until)
          last.set(key, { value: now, until })
        } else if (what === 'delete') {
          map.delete(key)
          last.delete(key)
        } else {
          const value = map.get(key, now)
          if (value !== undefined) assert.ok(last.get(key)?.value === value && now < (last.get(key)?.until ?? 0))
        }
        assert.ok(map.size <= 3)
      })
    }),
  )
})

test('throttle: counted per name and network, ended by the window or by the right password', () => {
  const clock = { now: 1000 }
  const throttle = createThrottle({ most: 3, windowMs: 60_000, now: () => clock.now })
  const refuses = (name: string, address: string) => {
    try {
      throttle.begin(name, address)
      return false
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, 'TOOMANYREQUESTS')
      return true
    }
  }
  for (const expected of [false, false, false, true, true]) assert.equal(refuses('bob', '192.0.2.1'), expected)
  assert.equal(refuses('bob', '::ffff:192.0.2.1'), true)
  assert.equal(refuses('bob', '192.0.2.2'), false)
  assert.equal(refuses('amy', '192.0.2.1'), false)
  clock.now += 59_999
  assert.equal(refuses('bob', '192.0.2.1'), true)
  clock.now += 1
  assert.equal(refuses('bob', '192.0.2.1'), false)
  throttle.clear('bob', '192.0.2.1')
  for (const expected of [false, false, false, true]) assert.equal(refuses('bob', '192.0.2.1'), expected)
  throttle.undo('bob', '192.0.2.1')
  assert.equal(refuses('bob', '192.0.2.1'), false)
  for (const address of ['2001:db8::1', '2001:db8:0:0:1::', '2001:0db8::ffff:1']) assert.equal(refuses('bob', address), false, address)
  assert.equal(refuses('bob', '2001:db8::dead:beef%eth0'), true, 'one host has its whole /64')
  assert.equal(refuses('bob', '2001:db8:0:1::1'), false)
})

test('throttle: what failed is counted per network too, under whatever names; who signs in meanwhile is not', () => {
  const clock = { now: 1_000_000 }
  const throttle = createThrottle({ most: 3, mostFromAddress: 5, windowMs: 60_000, now: () => clock.now })
  const isRefused = (name: string, address: string) => {
    try {
      throttle.begin(name, address)
      return false
    } catch (error) {
      assert.match((error as Error).message, /from this address, try again in \d+ s$/)
      return true
    }
  }
  for (let at = 0; at < 20; at++) assert.equal(isRefused(`right-${at}`, '2001:db8::1'), false, 'nothing has failed')
  for (let at = 0; at < 5; at++) {
    assert.equal(isRefused(`guess-${at}`, `2001:db8::${at}`), false)
    throttle.failed(`2001:db8::${at}`)
  }
  assert.equal(isRefused('bob', '2001:db8::ffff'), true)
  assert.equal(isRefused('bob', '2001:db8:0:1::1'), false, 'another network')
  clock.now += 60_000
  assert.equal(isRefused('bob', '2001:db8::ffff'), false)
})
