import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { scratch } from '../../test/support/scratch.ts'
import { createPrivateFile, readPrivateFile, writePrivateFile } from './private-file.ts'
import { loadSigningKey } from './signing-key.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

test('a private file has mode 0600, is replaced as a whole, and leaves nothing beside it', async () => {
  const folder = await scratch(stack, 'access')
  const path = join(folder, 'deep', 'secret')
  assert.equal(await readPrivateFile(path), undefined)
  await writePrivateFile(path, 'one')
  await writePrivateFile(path, 'two')
  assert.equal(await createPrivateFile(path, 'three'), false)
  assert.equal(await readPrivateFile(path), 'two')
  assert.deepEqual([(await stat(path)).mode & 0o777, (await stat(join(folder, 'deep'))).mode & 0o777], [0o600, 0o700])
  assert.deepEqual(await readdir(join(folder, 'deep')), ['secret'])
})

test('a link in its place is replaced, not followed; a wide mode is tightened', async () => {
  const folder = await scratch(stack, 'access')
  await writeFile(join(folder, 'target'), 'untouched')
  await symlink('target', join(folder, 'secret'))
  await writePrivateFile(join(folder, 'secret'), 'mine')
  assert.equal(await readFile(join(folder, 'target'), 'utf8'), 'untouched')
  await chmod(join(folder, 'secret'), 0o664)
  assert.equal(await readPrivateFile(join(folder, 'secret')), 'mine')
  assert.equal((await stat(join(folder, 'secret'))).mode & 0o777, 0o600)
})

test('what can not be read or written is an error that names the file', async () => {
  const folder = await scratch(stack, 'access')
  await mkdir(join(folder, 'keys'))
  await mkdir(join(folder, 'keys', 'token.key'))
  await assert.rejects(readPrivateFile(join(folder, 'keys', 'token.key')), { code: 'UNAVAILABLE', message: /token\.key/ })
  await writeFile(join(folder, 'file'), '')
  await assert.rejects(writePrivateFile(join(folder, 'file', 'secret'), 'x'), { code: 'UNAVAILABLE', message: /file\/secret/ })
  await writeFile(join(folder, 'large'), Buffer.alloc(20_000))
  await assert.rejects(readPrivateFile(join(folder, 'large')), { code: 'UNREADABLE' })
})

test('the signing key is made once, also by many at once, and is the same ever after', async () => {
  const folder = await scratch(stack, 'access')
  const keys = await Promise.all(Array.from({ length: 8 }, () => loadSigningKey(folder)))
  const again = await loadSigningKey(folder)
  assert.deepEqual([...new Set([...keys, again].map((key) => key.kid))], [again.kid])
  assert.match(again.kid, /^[A-Za-z0-9_-]{43}$/)
  assert.equal((await stat(join(folder, 'keys', 'token.key'))).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(join(folder, 'keys')), ['token.key'])
  assert.notEqual((await loadSigningKey(await scratch(stack, 'access'))).kid, again.kid)
})

test('a key file that holds something else is an error, and is not replaced', async () => {
  const folder = await scratch(stack, 'access')
  const path = join(folder, 'keys', 'token.key')
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  for (const content of ['', 'not a key', other]) {
    await writePrivateFile(path, content)
    await assert.rejects(loadSigningKey(folder), { code: 'UNREADABLE', message: /token\.key/ })
    assert.equal(await readFile(path, 'utf8'), content)
  }
})
