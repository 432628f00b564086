// A whole Debian: built by buildah from what debootstrap installs, pushed and pulled by it, its packages held against dpkg's own list.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Buildah, openBuildah } from '../support/buildah.ts'
import { debianRootfs } from '../support/debian.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { must } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import { expectStatus } from '../support/transfer.ts'

describe('a whole Debian', { skip: lacking('buildah', 'podman', 'debootstrap', 'tar') }, () => {
  const stack = new AsyncDisposableStack()
  let server: Lazaret
  before(async () => void (server = await startLazaret(stack, { policy: 'observe' })))
  after(() => stack.disposeAsync())

  test('every package that dpkg knows is in the inventory, and the image comes back the same', { timeout: 600_000 }, async () => {
    const rootfs = join(await scratch(stack, 'rootfs'), 'rootfs.tar')
    await writeFile(rootfs, await debianRootfs())
    const buildah = await openBuildah(stack)
    const steps = [
      ['from', '--name', 'debian', 'scratch'],
      ['add', 'debian', rootfs, '/'],
      ['commit', '--rm', 'debian', 'localhost/debian:12'],
      [
        'push',
        '--tls-verify=false',
        '--creds',
        `${server.developer.username}:${server.developer.password}`,
        'localhost/debian:12',
        `docker://${server.host}/shop/debian:12`,
      ],
    ]
    for (const step of steps) {
      const outcome = await buildah.podman(step, { timeoutMs: 300_000 })
      assert.equal(outcome.code, 0, outcome.output)
    }
    const decided = expectStatus(await server.api('/verdict?image=shop/debian:12&wait=120'), 200).body.toString('utf8')
    assert.match(decided, /"decision":\s*"(allow|warn)"/)
    assert.deepEqual(await listedPackages(), await installedPackages(rootfs))
    await assertComesBack(buildah)
  })

  async function assertComesBack(buildah: Buildah): Promise<void> {
    const reference = `${server.host}/shop/debian:12`
    const held = await server.protocol(server.developer).read('shop/debian', '12')
    assert.equal((await buildah.podman(['rmi', '--all', '--force'])).code, 0)
    const login = await buildah.login(server.host, server.developer)
    assert.equal(login.code, 0, login.output)
    const pulled = await buildah.pull(reference)
    assert.equal(pulled.code, 0, pulled.output)
    const { digest, imageId } = await buildah.takePulled(reference)
    assert.equal(digest, held.root.digest)
    assert.ok(held.blobs.has(imageId ?? ''), 'the image id is the digest of the config that the registry holds')
  }

  async function listedPackages(): Promise<string[]> {
    const answer = expectStatus(await server.api('/sbom?image=shop/debian:12&format=cyclonedx'), 200)
    const { components } = JSON.parse(answer.body.toString('utf8')) as { components: { name: string; version?: string; purl?: string }[] }
    return components
      .filter(({ purl }) => purl?.startsWith('pkg:deb/'))
      .map(({ name, version }) => `${name} ${version}`)
      .toSorted()
  }
})

/** dpkg's own answer, from the database in the tar. */
async function installedPackages(rootfs: string): Promise<string[]> {
  await using own = new AsyncDisposableStack()
  const folder = await scratch(own, 'dpkg')
  await must('tar', ['--extract', '--file', rootfs, '--directory', folder, './var/lib/dpkg'])
  const { stdout } = await must('dpkg-query', [
    `--admindir=${join(folder, 'var', 'lib', 'dpkg')}`,
    '--show',
    '--showformat=${db:Status-Status} ${Package} ${Version}\\n',
  ])
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('installed '))
    .map((line) => line.slice('installed '.length))
    .toSorted()
}
