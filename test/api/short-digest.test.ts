// What a refusal prints can be asked: `lazaret why NAME@sha256:` and the first twelve digits.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { imageOf } from '../support/images.ts'
import { startLazaret } from '../support/lazaret.ts'
import { lacking } from '../support/tools.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

test('a digest cut short names the one manifest that it fits, and only to who may pull it', { skip: lacking('setpriv') }, async () => {
  const server = await startLazaret(stack, { policy: 'observe' })
  const image = await imageOf([{ a: 'a' }])
  await server.protocol(server.developer).push('shop/api', image, '1')
  const { digest } = image.root
  const short = `shop/api@${digest.slice(0, 19)}`
  const asked = await server.lazaret(['why', short, '--wait', '10', '--format', 'json'])
  assert.deepEqual([asked.code, (JSON.parse(asked.stdout) as { digest: string }).digest], [0, digest], asked.output)
  const status = async (name: string, who = server.admin) => (await server.api(`/verdict?image=${encodeURIComponent(name)}`, who)).status
  assert.equal(await status(`shop/api@${digest.slice(0, 18)}`), 400, 'eleven digits are too few')
  assert.equal(await status(`shop/api@sha256:${'0'.repeat(12)}`), 404)
  const stranger = await server.addUser('stranger', 'pull=other/**')
  assert.equal(await status(short, stranger), 404)
})
