import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLazaret } from '../support/lazaret.ts'

interface Found {
  wrong: number
  found: { check: string; standing: string; says: string; remedy?: string }[]
}

test('lazaret doctor beside a running server, without it, and where something is wrong', async () => {
  await using stack = new AsyncDisposableStack()
  const server = await startLazaret(stack, { policy: 'balanced' })
  const data = join(server.folder, 'data')
  const env = { LAZARET_DATA: data, LAZARET_SERVER: '', LAZARET_USERNAME: '', LAZARET_PASSWORD: '', LAZARET_POLICY: 'balanced' }
  const doctor = async (format: string) => server.lazaret(['doctor', '--format', format], { env })
  const beside = await doctor('json')
  const { wrong, found } = JSON.parse(beside.stdout) as Found
  assert.deepEqual([beside.code, wrong], [0, 0], beside.stdout + beside.stderr)
  assert.match(found.find(({ check }) => check === 'server')?.says ?? '', new RegExp(`^http://${server.host} runs version \\d`))
  for (const check of ['node', 'open files', 'settings', 'data folder', 'blobs folder', 'disk', 'records', 'advisories'])
    assert.ok(
      found.some((one) => one.check === check),
      check,
    )
  assert.equal((await fetch(`http://${server.host}/health/ready`)).status, 200, 'the server is left alone')

  await server.daemon.stop()
  const alone = await doctor('table')
  assert.equal(alone.code, 0, alone.stdout)
  assert.match(alone.stdout, /^server +note +none runs on this data folder$/m)
  assert.match(alone.stdout, /^Nothing is wrong\.$/m)

  const broken = await server.lazaret(['doctor'], { env: { ...env, LAZARET_GC_GRACE_SECONDS: 'soon' } })
  assert.equal(broken.code, 1)
  assert.match(broken.stdout, /^settings +wrong +.*LAZARET_GC_GRACE_SECONDS/m)
  assert.equal((await stat(data)).mode & 0o777, 0o700)
})
