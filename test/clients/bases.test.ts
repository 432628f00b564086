// An image that buildah builds on another: the registry tells the base by its layers, and buildah's own word beside it.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { openBuildah } from '../support/buildah.ts'
import { startLazaret } from '../support/lazaret.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import { expectStatus } from '../support/transfer.ts'

describe('an image that is built on another', { skip: lacking('buildah', 'podman') }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())

  test('has that one as its base', { timeout: 300_000 }, async () => {
    const server = await startLazaret(stack, { policy: 'observe' })
    const buildah = await openBuildah(stack)
    const own = join(await scratch(stack, 'bases'), 'own')
    await writeFile(own, 'the application')
    const library = JSON.stringify({ name: 'minimist', version: '1.2.5' })
    const base = await buildah.build({ 'usr/lib/node_modules/minimist/package.json': library, 'etc/base': '1' }, 'localhost/base:1')
    assert.equal(base.code, 0, base.output)
    const push = ['push', '--tls-verify=false', '--creds', `${server.admin.username}:${server.admin.password}`]
    for (const step of [
      [...push, 'localhost/base:1', `docker://${server.host}/library/base:1`],
      ['from', '--name', 'app', 'localhost/base:1'],
      ['copy', 'app', own, '/srv/own'],
      ['commit', '--rm', 'app', 'localhost/app:1'],
      [...push, '--compression-format', 'zstd', 'localhost/app:1', `docker://${server.host}/shop/app:1`],
    ]) {
      const outcome = await buildah.podman(step, { timeoutMs: 120_000 })
      assert.equal(outcome.code, 0, outcome.output)
    }
    const ask = async (path: string) => JSON.parse(expectStatus(await server.api(path), 200).body.toString('utf8')) as Answer
    for (const image of ['library/base:1', 'shop/app:1']) await ask(`/verdict?image=${image}&wait=60`)
    const told = (await ask('/verdict?image=shop/app:1')).base
    assert.deepEqual([told?.known, told?.names], ['image', ['library/base:1']])
    assert.match(told?.claim?.name ?? '', /^localhost\/base:1$/)
    assert.equal(told?.digest, (await ask('/verdict?image=library/base:1')).digest)
    const { items = [] } = await ask('/findings?image=shop/app:1')
    assert.ok(items.length > 0)
    assert.ok(items.every((item) => item.inBase === true))
  })
})

interface Answer {
  digest?: string
  base?: { known: string; names?: string[]; digest?: string; claim?: { name?: string } }
  items?: { inBase: boolean }[]
}
