import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import type { Io } from './command.ts'
import { readSecret, refuseSecretArgument } from './secret-input.ts'

function ioOf(chunks: (string | Buffer)[]): Io {
  return {
    out: () => undefined,
    err: () => undefined,
    env: {},
    cwd: '/',
    stdin: Readable.from(chunks, { objectMode: false }),
    columns: undefined,
  }
}

const read = (...chunks: (string | Buffer)[]) => readSecret(ioOf(chunks), { fromStdin: true, question: 'Password' })

test('one line from standard input, without its end', async () => {
  assert.equal(await read('the-password\n'), 'the-password')
  assert.equal(await read('the-password\r\n'), 'the-password')
  assert.equal(await read('the', '-pass', 'word'), 'the-password')
  assert.equal(
    await read(Buffer.from('pässwörd\n').subarray(0, 2), Buffer.from('pässwörd\n').subarray(2)),
    'pässwörd',
    'cut within a letter',
  )
  assert.equal(await read('  spaces stay \n'), '  spaces stay ')
})

test('nothing, more than a line, and too much are refused', async () => {
  for (const chunks of [[], [''], ['\n']])
    await assert.rejects(read(...chunks), { code: 'USAGE', message: 'no password came on standard input' })
  for (const text of ['one\ntwo\n', 'one\n\n', 'a\0b', 'a\rb'])
    await assert.rejects(read(text), { code: 'USAGE', message: /a password is one line/ })
  await assert.rejects(read('x'.repeat(70_000)), { code: 'USAGE', message: /more than 65536 bytes/ })
})

test('without a terminal there is nobody to ask, and no password is an argument', async () => {
  await assert.rejects(readSecret(ioOf(['typed\n']), { fromStdin: false, question: 'Password' }), {
    code: 'USAGE',
    message: /use --password-stdin/,
  })
  refuseSecretArgument({})
  assert.throws(
    () => refuseSecretArgument({ password: 'hush' }),
    (error: Error) => !error.message.includes('hush') && /--password-stdin/.test(error.message),
  )
})
