// TLS by a real server: a certificate replaced by rubbish, and connections that never shake hands.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, startDaemon } from '../support/daemon.ts'
import { launcher } from '../support/lazaret.ts'
import { must } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import { openWire } from './wire.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

test('rubbish in the place of a certificate leaves the old one in force, loudly; who never shakes hands is closed and holds up no stop', {
  skip: lacking('setpriv', 'openssl'),
}, async () => {
  const folder = await scratch(stack, 'tls')
  const [cert, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  const kind = ['-x509', '-nodes', '-days', '1', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-subj', '/CN=localhost']
  await must('openssl', ['req', ...kind, '-keyout', key, '-out', cert])
  const port = await freePort()
  const daemon = await startDaemon(stack, {
    command: launcher,
    args: ['serve'],
    env: {
      LAZARET_LISTEN: `127.0.0.1:${port}`,
      LAZARET_DATA: join(folder, 'data'),
      LAZARET_OFFLINE: 'true',
      LAZARET_TLS_CERT: cert,
      LAZARET_TLS_KEY: key,
      LAZARET_LIMITS_HEAD_SECONDS: '2',
      LAZARET_STOP_SECONDS: '2',
    },
    ready: () =>
      ping(port).then(
        (status) => status === 401,
        () => false,
      ),
  })
  const silent = await openWire(port)
  await silent.closed
  await writeFile(cert, 'rubbish')
  for (let tries = 0; tries < 300 && !daemon.log().includes('the new certificate cannot be used'); tries++) await sleep(50)
  assert.match(daemon.log(), /"level":"error"[^\n]*the new certificate cannot be used: the old one goes on/)
  assert.equal(await ping(port), 401, 'new connections are taken with the old one')
  const unshaken = await openWire(port)
  assert.equal(await daemon.stop(), 0, daemon.log().slice(-2000))
  await unshaken.closed
})

function ping(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '/v2/', rejectUnauthorized: false, agent: false }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}
