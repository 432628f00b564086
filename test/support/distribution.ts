// CNCF Distribution: the reference, to tell a client's fault from ours, and a second registry to copy from.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, startDaemon } from './daemon.ts'
import { protocolOf } from './protocol.ts'
import type { Registry } from './registry.ts'
import { scratch } from './scratch.ts'

const developer = { username: 'developer', password: 'peer-password' }
// bcrypt of the password above; nothing but tests on the loopback address knows it.
const passwordLine = 'developer:$2b$04$abcdefghijklmnopqrstuujzZqd.y3uE7oglXDjhq7ROXXSj/JUtK\n'

/** In: the suite's stack. Out: a Distribution with Basic sign-in and delete switched on; gone at the end. */
export async function startDistribution(stack: AsyncDisposableStack): Promise<Registry> {
  const folder = await scratch(stack, 'distribution')
  const host = `127.0.0.1:${await freePort()}`
  await writeFile(join(folder, 'htpasswd'), passwordLine)
  await writeFile(join(folder, 'config.yml'), configOf(folder, host))
  const ready = () => fetch(`http://${host}/v2/`).then((answer) => answer.status === 401, isNotListening)
  await startDaemon(stack, {
    command: 'registry',
    args: ['serve', join(folder, 'config.yml')],
    ready,
    env: { OTEL_TRACES_EXPORTER: 'none' },
  })
  return { host, developer, protocol: (credentials) => protocolOf(host, credentials) }
}

function isNotListening(): false {
  return false
}

function configOf(folder: string, host: string): string {
  return JSON.stringify({
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: host },
    auth: { htpasswd: { realm: 'peer', path: join(folder, 'htpasswd') } },
  })
}
