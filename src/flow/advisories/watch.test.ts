import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '../../kit/log.ts'
import { createAdvisoryWatch } from './watch.ts'

function world(everyMs?: number) {
  const state = { revision: 'one', moved: [] as string[], failing: false, unreadable: false, lines: [] as string[] }
  const watch = createAdvisoryWatch({
    revision() {
      if (state.unreadable) throw new Error('the pointer is damaged')
      return state.revision
    },
    async onMoved(revision) {
      if (state.failing) throw new Error('the records are gone')
      state.moved.push(revision)
    },
    log: createLog({ level: 'info', write: (line) => state.lines.push(line), pretty: false }),
    ...(everyMs === undefined ? {} : { everyMs }),
  })
  return { state, watch }
}

test('another revision is told once; the one at the start is not', async () => {
  const { state, watch } = world()
  watch.start()
  await watch.look()
  assert.deepEqual(state.moved, [])
  state.revision = 'two'
  await Promise.all([watch.look(), watch.look(), watch.look()])
  assert.deepEqual(state.moved, ['two'])
  state.revision = 'one'
  await watch.look()
  assert.deepEqual(state.moved, ['two', 'one'], 'an older one is another too')
  watch.stop()
})

test('what follows is tried again until it is done', async () => {
  const { state, watch } = world()
  watch.start()
  state.revision = 'two'
  state.failing = true
  await assert.rejects(watch.look(), /the records are gone/)
  state.failing = false
  await watch.look()
  assert.deepEqual(state.moved, ['two'])
  watch.stop()
})

test('by itself, through times when nothing can be read, until it is stopped', async () => {
  const { state, watch } = world(5)
  watch.start()
  state.unreadable = true
  await sleep(30)
  assert.match(state.lines[0] ?? '', /the pointer is damaged/)
  state.unreadable = false
  state.revision = 'two'
  await sleep(50)
  assert.deepEqual(state.moved, ['two'])
  watch.stop()
  state.revision = 'three'
  await sleep(30)
  assert.deepEqual(state.moved, ['two'])
})
