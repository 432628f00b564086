import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { scratch } from '../../test/support/scratch.ts'
import { takeHold } from './hold.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

const program = `
  const { takeHold } = await import(${JSON.stringify(join(import.meta.dirname, 'hold.ts'))})
  const hold = await takeHold(process.argv[1], process.argv[2])
  if (process.argv[3]) hold.announce(process.argv[3])
  console.log('held')
  process.stdin.resume().once('end', () => { hold.release(); process.exit(0) })`

async function otherProcess(folder: string, command: string, address = ''): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, folder, command, address], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  stack.defer(() => void child.kill('SIGKILL'))
  assert.match(String(await once(child.stdout ?? assert.fail(), 'data')), /held/)
  return child
}

test('a folder that a server holds is refused at once, with its address', async () => {
  const folder = join(await scratch(stack, 'hold'), 'data')
  const server = await otherProcess(folder, 'serve', 'http://127.0.0.1:5000')
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  assert.equal(statSync(join(folder, 'holder.json')).mode & 0o777, 0o600)
  const started = Date.now()
  const said = {
    code: 'CONFLICT',
    message: `the data folder ${folder} is held by the server at http://127.0.0.1:5000 (process ${server.pid})`,
  }
  await assert.rejects(takeHold(folder, 'users'), said)
  await assert.rejects(takeHold(folder, 'serve'), said)
  assert.ok(Date.now() - started < 2000)
})

test('a holder that is killed holds no more, whatever it left', async () => {
  const folder = await scratch(stack, 'hold')
  const server = await otherProcess(folder, 'serve', 'http://127.0.0.1:5000')
  server.kill('SIGKILL')
  await once(server, 'exit')
  assert.ok(existsSync(join(folder, 'holder.json')))
  const hold = await takeHold(folder, 'users')
  assert.equal((JSON.parse(readFileSync(join(folder, 'holder.json'), 'utf8')) as { command: string }).command, 'users')
  hold.release()
  assert.ok(!existsSync(join(folder, 'holder.json')))
  ;(await takeHold(folder, 'users')).release()
})

test('a command is waited for, up to a limit', async () => {
  const folder = await scratch(stack, 'hold')
  const command = await otherProcess(folder, 'users')
  await assert.rejects(takeHold(folder, 'serve', 150), {
    code: 'CONFLICT',
    message: new RegExp(`held by lazaret users \\(process ${command.pid}\\)`),
  })
  const waiting = takeHold(folder, 'serve')
  command.stdin?.end()
  ;(await waiting).release()
})

test('a server that does not listen yet, and a note that can not be read', async () => {
  const folder = await scratch(stack, 'hold')
  await otherProcess(folder, 'serve')
  await assert.rejects(takeHold(folder, 'users'), /held by a server that is starting/)
  for (const text of ['', '{', 'null', '[]', '{"pid":"1","command":"serve"}', '{"pid":1}']) {
    writeFileSync(join(folder, 'holder.json'), text)
    await assert.rejects(takeHold(folder, 'users', 0), /held by another process of Lazaret/, text)
  }
})

test('a folder that can not be made or locked is an error, not a hold', async () => {
  const folder = await scratch(stack, 'hold')
  writeFileSync(join(folder, 'file'), 'x')
  await assert.rejects(takeHold(join(folder, 'file'), 'users'))
  writeFileSync(join(folder, 'hold'), 'this is no database, and long enough to be seen as none'.repeat(20))
  await assert.rejects(takeHold(folder, 'users', 0), { code: 'UNAVAILABLE' })
})
