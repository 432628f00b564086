// `lazaret health`, which health checks run: what it says of a server, of none, and of what is no Lazaret.

import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePort, startDaemon } from '../support/daemon.ts'
import { launcher, startLazaret } from '../support/lazaret.ts'
import { must, type Outcome, run } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'

function health(cwd: string, env: Record<string, string>, ...args: string[]): Promise<Outcome> {
  return run(launcher, ['health', ...args], { cwd, env })
}

test('a server that is ready, whatever name its clients use', async () => {
  await using stack = new AsyncDisposableStack()
  const { host, folder, daemon } = await startLazaret(stack, { policy: 'observe', env: { LAZARET_PUBLIC_URL: 'https://registry.example' } })
  const env = { LAZARET_LISTEN: host, LAZARET_PUBLIC_URL: 'https://registry.example' }
  const ready = await health(folder, env)
  assert.equal(ready.code, 0, ready.output)
  assert.match(ready.stdout, /^PART +STATE\n[^]*^records +ok$[^]*^all +ok$/m)
  const { status, parts } = JSON.parse((await health(folder, env, '--format', 'json')).stdout) as { status: string; parts: object }
  assert.equal(status, 'ok')
  assert.ok('worker' in parts)
  await daemon.stop()
  const gone = await health(folder, env)
  assert.equal(gone.code, 1)
  assert.match(gone.stderr, new RegExp(`^lazaret: http://${host} does not answer as it should: connect ECONNREFUSED`))
})

test('by TLS, with a certificate for another name', { skip: lacking('openssl') }, async () => {
  await using stack = new AsyncDisposableStack()
  const folder = await scratch(stack, 'health')
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=other']
  await must('openssl', [...made, '-keyout', key, '-out', cert])
  const listen = `127.0.0.1:${await freePort()}`
  const env = { LAZARET_LISTEN: listen, LAZARET_TLS_CERT: cert, LAZARET_TLS_KEY: key, LAZARET_DATA: join(folder, 'data') }
  await startDaemon(stack, {
    command: launcher,
    args: ['serve'],
    cwd: folder,
    env,
    ready: async () => (await health(folder, env)).code === 0,
  })
  assert.match((await health(folder, env)).stdout, /^all +ok$/m)
})

const failing = JSON.stringify({ status: 'failing', version: '1', parts: { records: 'failing: the disk is gone' } })

for (const { name, answer, says } of [
  { name: 'a part that is failing', answer: failing, says: /^records +failing: the disk is gone$[^]*^all +failing$/m },
  { name: 'another program', answer: '<html>', says: /what answers is not Lazaret/ },
  { name: 'a status that nobody knows', answer: '{"status":"fine","parts":{}}', says: /what answers is not Lazaret/ },
  { name: 'null', answer: 'null', says: /what answers is not Lazaret/ },
  { name: 'an answer that never ends', answer: 'x'.repeat(1_000_000), says: /what answers is not Lazaret/ },
])
  test(`is not healthy: ${name}`, async () => {
    await using stack = new AsyncDisposableStack()
    const listen = await serving(stack, (_request, response) => void response.end(answer))
    const found = await health(await scratch(stack, 'health'), { LAZARET_LISTEN: listen })
    assert.equal(found.code, 1, found.output)
    assert.match(found.output, says)
  })

test('is not healthy: nothing comes', async () => {
  await using stack = new AsyncDisposableStack()
  const listen = await serving(stack, (_request, response) => void response.writeHead(200).write('{'))
  const found = await health(await scratch(stack, 'health'), { LAZARET_LISTEN: listen })
  assert.equal(found.code, 1, found.output)
  assert.match(found.stderr, /nothing came within 8 s/)
})

/** Out: where it listens, until the end. */
async function serving(stack: AsyncDisposableStack, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stack.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}
