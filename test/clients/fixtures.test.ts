// Images that others made: pushed by skopeo from their archives, judged, and pulled again.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type ContainersHome, containersHome } from '../support/containers.ts'
import { digestsOf } from '../support/content.ts'
import { checkout, type Lazaret, startLazaret } from '../support/lazaret.ts'
import { takeFolder } from '../support/layout.ts'
import { lacking } from '../support/tools.ts'
import { expectStatus } from '../support/transfer.ts'

const folder = join(checkout, '..', 'shared', 'data', 'images')

/** The transport by which skopeo reads each. Left out: three files that skopeo cannot read as images. */
const archives = [
  ['3-level-jar.tar', 'docker-archive'],
  ['alpine.tar', 'docker-archive'],
  ['busybox-1.31.1.tar', 'oci-archive'],
  ['busybox-single-arch-with-attestation-manifest.tar', 'docker-archive'],
  ['java-uberjar.tar', 'docker-archive'],
  ['kaniko-busybox.tar', 'docker-archive'],
  ['node-removed.tar', 'oci-archive'],
  ['npm7-with-node-modules-only.tar', 'oci-archive'],
] as const

function reasonToLeaveOut(): string | false {
  return existsSync(folder) ? lacking('skopeo', 'podman') : 'left out: the images of others are not beside this checkout'
}

describe('images that others made', { skip: reasonToLeaveOut() }, () => {
  const stack = new AsyncDisposableStack()
  let server: Lazaret
  let home: ContainersHome
  before(async () => {
    server = await startLazaret(stack, { policy: 'observe' })
    home = await containersHome(stack, 'fixtures')
    const { username, password } = server.developer
    const login = await home.run('skopeo', ['login', '--tls-verify=false', '-u', username, '--password-stdin', server.host], {
      input: password,
    })
    assert.equal(login.code, 0, login.output)
  })
  after(() => stack.disposeAsync())

  for (const [file, transport] of archives) {
    test(`${file}: pushed, judged, pulled`, async () => {
      const repository = `shop/${file.replace('.tar', '').toLowerCase()}`
      const pushed = await home.run('skopeo', [
        'copy',
        '--dest-tls-verify=false',
        `${transport}:${join(folder, file)}`,
        `docker://${server.host}/${repository}:1`,
      ])
      assert.equal(pushed.code, 0, pushed.output)
      const held = await server.protocol(server.developer).read(repository, '1')
      await assertJudged(`${repository}@${held.root.digest}`)
      const layout = join(home.folder, `${file}-pulled`)
      // Into the `dir:` form: OCI layouts would have Docker manifests rewritten.
      const pulled = await home.run('skopeo', [
        'copy',
        '--preserve-digests',
        '--src-tls-verify=false',
        `docker://${server.host}/${repository}:1`,
        `dir:${layout}`,
      ])
      assert.equal(pulled.code, 0, pulled.output)
      assert.deepEqual(await takeFolder(layout), digestsOf(held))
    })
  }

  async function assertJudged(image: string): Promise<void> {
    const answer = expectStatus(await server.api(`/verdict?image=${encodeURIComponent(image)}&wait=60`), 200)
    const { decision, digest } = JSON.parse(answer.body.toString('utf8')) as { decision: string; digest: string }
    assert.notEqual(decision, 'pending', answer.body.toString('utf8'))
    assert.ok(image.endsWith(digest))
  }
})
