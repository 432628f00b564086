import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { scratch } from '../../../test/support/scratch.ts'
import { createDigests } from './digests.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const folder = await scratch(stack, 'digests')

test('a file that is not there, or is shorter than was said, has no digest, and the others have theirs', async () => {
  const digests = createDigests()
  const bytes = randomBytes(5_000_000)
  const [whole, short] = [join(folder, 'whole'), join(folder, 'short')]
  await Promise.all([writeFile(whole, bytes), writeFile(short, bytes)])
  await truncate(short, 4_999_999)
  const missing = digests.follow(join(folder, 'nothing'), 'sha256')
  const cut = digests.follow(short, 'sha256')
  const fine = digests.follow(whole, 'sha512')
  fine.reach(1_000_000)
  missing.reach(1)
  const outcomes = await Promise.allSettled([missing.digest(1), cut.digest(bytes.length), fine.digest(bytes.length)])
  assert.deepEqual(
    outcomes.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message.replace(/.*digest: /, ''))),
    [
      `ENOENT: no such file or directory, open '${join(folder, 'nothing')}'`,
      'the file ends at 4999999 bytes, where 5000000 were written',
      createHash('sha512').update(bytes).digest('hex'),
    ],
  )
  for (const one of [missing, cut, fine]) one.leave()
  await assert.rejects(fine.digest(1), { code: 'INTERNAL' })
  await digests.close()
})

test('who waits when the store closes is told', async () => {
  const digests = createDigests()
  const path = join(folder, 'large')
  await writeFile(path, Buffer.alloc(200_000_000))
  const waiting = digests.follow(path, 'sha512').digest(200_000_000)
  const told = assert.rejects(waiting, { code: 'INTERNAL', message: /the store is closed/ })
  await digests.close()
  await told
  const again = digests.follow(path, 'sha256')
  assert.match(await again.digest(10), /^[0-9a-f]{64}$/, 'a new thread')
  again.leave()
  await digests.close()
})
