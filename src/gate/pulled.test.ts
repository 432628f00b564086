import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Pull } from '../store/pulls.ts'
import { pushImage } from '../store/suites/world.ts'
import { repositoryFinder } from '../store/repositories.ts'
import { createGate } from './gate.ts'
import { begin, judge, puller, pusher, request } from './gate.testing.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

test('what passed is told: by tag or digest, sent or asked for; what did not pass, and blobs, are not', async () => {
  const { world, waiters } = await begin()
  const told: Pull[] = []
  const gate = createGate({
    manifests: world.manifests,
    blobs: world.blobs,
    waiters,
    findRepository: repositoryFinder(world.records),
    enforcing: true,
    waitSeconds: 0,
    graceMs: 86_400_000,
    onPassedByGrant: async () => undefined,
    onPulled: (pull) => void told.push(pull),
    now: () => world.clock.now,
  })
  const good = await pushImage(world, 'shop/api', ['1'])
  await judge(world, good, 'allow')
  const bad = await pushImage(world, 'shop/api', ['2'])
  await judge(world, bad, 'deny')
  await gate.getManifest(request(puller, '1'))
  await gate.headManifest(request(puller, '1'))
  await gate.getManifest(request(puller, good.digest))
  for (const reference of ['2', bad.digest, 'none']) {
    await assert.rejects(gate.getManifest(request(puller, reference)))
    await assert.rejects(gate.headManifest(request(puller, reference)))
  }
  await gate.headManifest(request(pusher, '1')) // it looks whether its own is there
  const common = { repositoryId: good.repositoryId, digest: good.digest, principal: 'user:u', address: '192.0.2.1' }
  assert.deepEqual(
    told.map(({ manifestId: _, ...pull }) => pull),
    [
      { ...common, tag: '1', sent: true },
      { ...common, tag: '1', sent: false },
      { ...common, sent: true },
    ],
  )
})
