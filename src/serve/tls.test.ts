import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { createLog } from '../kit/log.ts'
import { followTls, readTls } from './tls.ts'

const folder = mkdtempSync(join(tmpdir(), 'lazaret-tls-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

function makePair(name: string): void {
  const file = (ending: string) => join(folder, `${name}.${ending}`)
  const subject = ['-subj', `/CN=${name}`, '-days', '1', '-nodes', '-x509']
  execFileSync(
    'openssl',
    ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', ...subject, '-keyout', file('key'), '-out', file('crt')],
    { stdio: 'ignore' },
  )
}

function nameServed(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

async function eventually(port: number, name: string): Promise<void> {
  for (let tries = 0; tries < 100 && (await nameServed(port)) !== name; tries++) await sleep(20)
  assert.equal(await nameServed(port), name)
}

test('a new certificate is served without a restart, and rubbish leaves the old one in force, loudly', async () => {
  makePair('first')
  makePair('second')
  const files = { cert: join(folder, 'live.crt'), key: join(folder, 'live.key') }
  const put = (name: string) => {
    copyFileSync(join(folder, `${name}.key`), files.key)
    copyFileSync(join(folder, `${name}.crt`), files.cert)
  }
  put('first')
  const lines: string[] = []
  const server = createServer(readTls(files))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = followTls(server, files, createLog({ level: 'info', write: (line) => lines.push(line) }), 10)
  const { port } = server.address() as AddressInfo
  try {
    assert.equal(await nameServed(port), 'first')
    put('second')
    await eventually(port, 'second')
    writeFileSync(files.cert, 'rubbish')
    for (let tries = 0; tries < 100 && !lines.some((line) => line.includes('cannot be used')); tries++) await sleep(20)
    assert.ok(lines.some((line) => line.includes('cannot be used')))
    assert.equal(await nameServed(port), 'second')
    put('first')
    await eventually(port, 'first')
  } finally {
    stop()
    server.close()
  }
})

test('a key that does not fit its certificate keeps the server from starting', () => {
  assert.throws(() => readTls({ cert: join(folder, 'first.crt'), key: join(folder, 'second.key') }))
})
