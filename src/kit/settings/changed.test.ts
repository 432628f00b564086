import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settingPaths } from './catalogue.ts'
import { changedSettings, takeAlive, valueAt } from './changed.ts'
import { loadSettings } from './load.ts'

const load = (env: Record<string, string> = {}) => loadSettings({ env, cwd: '/nowhere' })

test('what has changed, secrets too, is told by its path and by whether it can change while it serves', () => {
  assert.deepEqual(changedSettings(load(), load()), { alive: [], later: [] })
  const others = load({
    LAZARET_LOG: 'debug',
    LAZARET_PUBLIC: 'a/**',
    LAZARET_ADMIN_PASSWORD: 'another',
    LAZARET_GATE_WAIT_SECONDS: '1',
    LAZARET_LIMITS_UPLOADS_PER_MINUTE: '5',
    LAZARET_LIMITS_OPEN_UPLOADS: '5',
  })
  const { alive, later } = changedSettings(load({ LAZARET_ADMIN_PASSWORD: 'one' }), others)
  assert.deepEqual(alive.toSorted(), ['limits.uploadsPerMinute', 'log', 'public'])
  assert.deepEqual(later.toSorted(), ['adminPassword', 'gate.waitSeconds', 'limits.openUploads'])
})

test('what is brought into force is what can change while it serves, and nothing else', () => {
  const inForce = load()
  const others = load({
    LAZARET_LOG: 'debug',
    LAZARET_GATE_WAIT_SECONDS: '1',
    LAZARET_LIMITS_UPLOADS_PER_MINUTE: '5',
    LAZARET_LIMITS_OPEN_UPLOADS: '5',
  })
  takeAlive(inForce, others)
  assert.deepEqual([inForce.log, inForce.limits.uploadsPerMinute], ['debug', 5])
  assert.deepEqual([inForce.gate.waitSeconds, inForce.limits.openUploads], [20, 10_000])
  assert.deepEqual(changedSettings(inForce, others).alive, [])
})

test('every path leads to its value', () => {
  const settings = load({ LAZARET_TRACING_ENDPOINT: 'http://h' })
  const unset = settingPaths.filter((path) => valueAt(settings, path) === undefined)
  assert.ok(!unset.includes('tracing.endpoint') && !unset.includes('limits.uploadsPerMinute') && unset.includes('tls.cert'))
})
