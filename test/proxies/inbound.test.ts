// Clients push, pull and sign in through a proxy that ends TLS, as documented and without a word of who asked what.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { readFile } from 'node:fs/promises'
import { type Authority, openAuthority } from '../support/authority.ts'
import type { Client } from '../support/client.ts'
import { digestsOf } from '../support/content.ts'
import { openCrane } from '../support/crane.ts'
import { freePort } from '../support/daemon.ts'
import { openDocker } from '../support/docker.ts'
import { onDisk } from '../support/held.ts'
import { imageOf } from '../support/images.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { openPodman } from '../support/podman.ts'
import { protocolOf } from '../support/protocol.ts'
import { scratch } from '../support/scratch.ts'
import { openSkopeo } from '../support/skopeo.ts'
import { lacking } from '../support/tools.ts'
import { npmApplication } from '../support/worlds.ts'
import { type Front, type FrontKind, startFront, withoutForwarded } from './fronts.ts'

interface Way {
  kind: FrontKind
  /** Whether the proxy tells who asked, by which name; without, `publicUrl` does. */
  tells: boolean
  clients: readonly ('skopeo' | 'podman' | 'crane' | 'docker')[]
}

const ways: Way[] = [
  { kind: 'nginx', tells: true, clients: ['skopeo', 'docker'] },
  { kind: 'nginx', tells: false, clients: ['skopeo', 'crane'] },
  { kind: 'haproxy', tells: true, clients: ['podman', 'crane'] },
  { kind: 'haproxy', tells: false, clients: ['skopeo'] },
]

describe('behind a proxy', { skip: lacking('nginx', 'haproxy', 'openssl', 'skopeo', 'podman', 'crane', 'docker', 'dockerd') }, () => {
  const stack = new AsyncDisposableStack()
  let authority: Authority

  before(async () => {
    authority = await openAuthority(stack)
    setDefaultCACertificates([...getCACertificates('default'), await readFile(authority.file, 'utf8')])
  })
  after(() => stack.disposeAsync())

  for (const { kind, tells, clients } of ways) {
    describe(`${kind}, ${tells ? 'as documented, without publicUrl' : 'without X-Forwarded-, with publicUrl'}`, () => {
      let server: Lazaret
      let front: Front

      before(async () => {
        const port = await freePort()
        const name = tells ? {} : { LAZARET_PUBLIC_URL: `https://127.0.0.1:${port}` }
        server = await startLazaret(stack, { policy: 'observe', env: { LAZARET_BEHIND_PROXY: 'true', ...name } })
        front = await startFront(stack, { kind, authority, server: server.host, port, ...(tells ? {} : { change: withoutForwarded }) })
      })

      for (const name of clients) {
        test(`${name} signs in, pushes and pulls`, async () => {
          const client = await open(name, front)
          await roundTrip(client, front, server, await scratch(stack, 'layouts'))
        })
      }

      test('the realm is by TLS on the name that was asked, and Location is a path', async () => {
        const refused = await fetch(`https://${front.host}/v2/`)
        assert.match(refused.headers.get('www-authenticate') ?? '', new RegExp(`^Bearer realm="https://${front.host}/token",`))
        const through = protocolOf(`https://${front.host}`, server.developer)
        const begun = await through.ask('/v2/shop/located/blobs/uploads/', { method: 'POST', scope: 'repository:shop/located:pull,push' })
        assert.equal(begun.status, 202)
        assert.match(begun.headers.get('location') ?? '', /^\/v2\/shop\/located\/blobs\/uploads\//)
      })
    })
  }

  function open(name: Way['clients'][number], { host }: Front): Promise<Client> {
    const trusted = { host, authority: authority.file }
    return {
      skopeo: () => openSkopeo(stack, trusted),
      podman: () => openPodman(stack, 'podman', trusted),
      crane: () => openCrane(stack, authority.file),
      docker: () => openDocker(stack), // takes any certificate on loopback, as every dockerd does
    }[name]()
  }
})

async function roundTrip(client: Client, { host }: Front, server: Lazaret, folder: string): Promise<void> {
  const local = await onDisk(await imageOf([{ 'etc/salt': client.name }, npmApplication({ minimist: '1.2.8' })]), folder)
  const reference = `${host}/shop/${client.name}:1.0.0`
  const done = async (step: Promise<{ code: number | null; output: string }>) => {
    const { code, output } = await step
    assert.equal(code, 0, output)
  }
  const login = await client.login(host, { ...server.developer, password: 'wrong' })
  if (login.code === 0) assert.notEqual((await client.push(local, reference)).code, 0, 'a wrong password pushes nothing')
  await done(client.login(host, server.developer))
  await done(client.push(local, reference))
  const held = await server.protocol(server.developer).read(`shop/${client.name}`, '1.0.0')
  if (client.keepsBytes) assert.deepEqual(digestsOf(held), digestsOf(local.content))
  await done(client.pull(reference))
  assert.equal((await client.takePulled(reference)).digest, held.root.digest)
}
