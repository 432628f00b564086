// What a proxy could do to bodies, connections, status lines, waits and paths, and what it does with the documented configurations.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { type Authority, openAuthority } from '../support/authority.ts'
import { critical, expectVerdict, fixedImage, flawedImage, heldLine, pushAndJudge } from '../support/held.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { lacking } from '../support/tools.ts'
import { stopWorker } from '../support/worker.ts'
import { heard, type Heard } from './asking.ts'
import { documented, type Front, type FrontKind, startFront } from './fronts.ts'

const waitSeconds = 2
const mebibyte = 1024 * 1024
const needs = ['nginx', 'haproxy', 'openssl', 'setpriv']
const replaced = (from: RegExp, to: string) => (text: string) => {
  assert.match(text, from)
  return text.replace(from, to)
}

const fronts: { name: string; kind: FrontKind; streams: boolean; change?: (text: string) => string }[] = [
  { name: 'nginx', kind: 'nginx', streams: true },
  {
    name: 'nginx that takes bodies in first',
    kind: 'nginx',
    streams: false,
    change: replaced(/proxy_request_buffering off;/, 'proxy_request_buffering on;'),
  },
  { name: 'haproxy', kind: 'haproxy', streams: true },
]

describe('through a proxy in front', { skip: lacking(...needs) }, () => {
  const stack = new AsyncDisposableStack()
  let authority: Authority
  let server: Lazaret

  before(async () => {
    authority = await openAuthority(stack)
    setDefaultCACertificates([...getCACertificates('default'), await readFile(authority.file, 'utf8')])
    const env = { LAZARET_BEHIND_PROXY: 'true', LAZARET_GATE_WAIT_SECONDS: String(waitSeconds) }
    server = await startLazaret(stack, { policy: 'balanced', env })
    await pushAndJudge(server, 'shop/held', '1', await flawedImage(critical, 'held'), 'deny')
  })
  after(() => stack.disposeAsync())

  const begin = async (repository: string): Promise<string> => {
    const begun = await heard(`http://${server.host}`, `/v2/${repository}/blobs/uploads/`, { method: 'POST', ...server.developer })
    assert.equal(begun.status, 202, begun.body)
    return begun.headers.location ?? ''
  }

  for (const { name, kind, streams, change } of fronts) {
    describe(name, () => {
      let front: Front
      let origin: string
      before(async () => {
        front = await startFront(stack, { kind, authority, server: server.host, ...(change === undefined ? {} : { change }) })
        origin = `https://${front.host}`
      })

      test('a large body in one piece, in chunks without a length, and back', async () => {
        for (const isChunked of [false, true]) {
          const pieces = Array.from({ length: 24 }, () => randomBytes(mebibyte))
          const whole = Buffer.concat(pieces)
          const headers = { 'content-type': 'application/octet-stream', ...(isChunked ? {} : { 'content-length': String(whole.length) }) }
          const location = await begin('shop/large')
          const sent = await heard(origin, location, { method: 'PATCH', headers, body: pieces, ...server.developer })
          assert.equal(sent.status, 202, sent.body)
          await finish(origin, server, sent, whole)
        }
      })

      test(streams ? 'bytes are written before the body has ended' : 'nothing is written before the body has ended', async () => {
        const before = await bytesBelow(join(server.folder, 'data', 'blobs'))
        const { username, password } = server.developer
        const [host = '', port] = front.host.split(':')
        const path = await begin('shop/streamed')
        const pieces = [randomBytes(8 * mebibyte), randomBytes(1024)]
        const length = { 'content-length': String(8 * mebibyte + 1024) }
        const sent = request({ host, port, path, method: 'PATCH', headers: length, auth: `${username}:${password}`, agent: false })
        const answered = new Promise<number>((resolve, reject) => {
          sent.once('error', reject).once('response', (answer) => answer.once('end', () => resolve(answer.statusCode ?? 0)).resume())
        })
        await new Promise<void>((resolve, reject) => sent.write(pieces[0], (error) => (error instanceof Error ? reject(error) : resolve())))
        const written = async () => (await bytesBelow(join(server.folder, 'data', 'blobs'))) - before
        if (streams) await until(async () => (await written()) >= 4 * mebibyte, 'nothing was written while the body came')
        else assert.equal(await written(), 0)
        sent.end(pieces[1])
        assert.equal(await answered, 202)
      })

      test('100 Continue comes before a body that waits for it', async () => {
        const bytes = randomBytes(64 * 1024)
        const headers = { 'content-length': String(bytes.length) }
        const asking = { method: 'PATCH', headers, body: [bytes], expectContinue: true, ...server.developer }
        const sent = await heard(origin, await begin('shop/continued'), asking)
        assert.deepEqual([sent.status, sent.continued], [202, true])
        await finish(origin, server, sent, bytes)
      })

      test('requests share one connection', async () => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 })
        const sockets = new Set<unknown>()
        agent.on('free', (socket) => sockets.add(socket))
        for (let turn = 0; turn < 5; turn++) assert.equal((await heard(origin, '/v2/', { agent, ...server.developer })).status, 200)
        assert.equal(sockets.size, 1)
        agent.destroy()
      })

      test('a refused pull has its reason in the status line, for HEAD too', async () => {
        const puller = await server.addRobot(`puller-${crypto.randomUUID().slice(0, 8)}`, 'pull=shop/**')
        for (const method of ['GET', 'HEAD']) {
          const answer = await heard(origin, '/v2/shop/held/manifests/1', { method, ...puller })
          assert.equal(answer.status, 403)
          assert.match(answer.reason, heldLine('shop/held', critical), method)
        }
      })

      test('a path goes through as it was sent', async () => {
        for (const path of [
          '/v2/shop%2Fheld/manifests/1',
          '/v2/shop/held/manifests%2F1',
          '/v2/shop/held%2fmanifests/1',
          '/v2/other/../shop/held/manifests/1',
          '/v2/other/%2e%2e/shop/held/manifests/1',
          '/v2//shop/held/manifests/1',
          '/v2/shop/held/./manifests/1',
          '/v2/shop/held/manifests/1%00',
          '/v2/shop/held/manifests/%31',
          '/v2/shop/held;a=b/manifests/1',
          '/v2/shop/held/manifests/1?n=%2F&last=a%20b',
        ]) {
          const direct = await heard(`http://${server.host}`, path, server.developer)
          const through = await heard(origin, path, server.developer)
          // A path that makes no sense to the proxy may end there.
          if (through.status !== 400) assert.deepEqual([through.status, through.body], [direct.status, direct.body], path)
        }
      })

      test('a push that is refused before its body is in is told why', async () => {
        const body = Array.from({ length: 8 }, () => randomBytes(mebibyte))
        const location = await begin('shop/refused')
        const headers = { 'content-length': String(8 * mebibyte) }
        const answer = await heard(origin, location, { method: 'PATCH', headers, body, username: 'developer', password: 'wrong' })
        assert.equal(answer.status, 401, answer.body)
        assert.match(answer.body, /"code":"UNAUTHORIZED"/)
      })
    })
  }

  test('who is refused in the middle of a body can send the rest, and the connection ends without a reset', async () => {
    const path = await begin('shop/refused')
    const [host = '', port = ''] = server.host.split(':')
    const socket = connect(Number(port), host)
    let answered = ''
    const ended = new Promise<void>((resolve, reject) => socket.once('end', resolve).once('error', reject))
    const refused = new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        answered += chunk.toString('latin1')
        if (answered.includes('"code":"UNAUTHORIZED"')) resolve()
      })
    })
    const wrong = Buffer.from('developer:wrong').toString('base64')
    socket.write(
      `PATCH ${path} HTTP/1.1\r\nhost: ${server.host}\r\nauthorization: Basic ${wrong}\r\ncontent-length: ${4 * mebibyte}\r\n\r\n`,
    )
    socket.write(randomBytes(mebibyte))
    await refused
    assert.match(answered, /^HTTP\/1\.1 401 [^]*\r\nconnection: close\r\n/i)
    for (let sent = 1; sent < 4; sent++) await new Promise<unknown>((resolve) => socket.write(randomBytes(mebibyte), resolve))
    await ended
    socket.destroy()
  })

  test('nginx without client_max_body_size answers 413 without a word of Lazaret', async () => {
    const change = replaced(/^.*client_max_body_size.*\n/m, '')
    const front = await startFront(stack, { kind: 'nginx', authority, server: server.host, change })
    const headers = { 'content-length': String(2 * mebibyte) }
    const asking = { method: 'PATCH', headers, body: [randomBytes(2 * mebibyte)], ...server.developer }
    const answer = await heard(`https://${front.host}`, await begin('shop/large'), asking)
    assert.equal(answer.status, 413)
    assert.match(answer.body, /<title>413 Request Entity Too Large<\/title>/)
  })

  test('a pull that waits for an image is answered by Lazaret, and by a proxy that waits less with 504', async () => {
    using worker = await stopWorker(server)
    const content = await fixedImage(critical, 'waits')
    assert.equal((await server.protocol(server.admin).push('shop/waits', content, '1')).status, 201)
    const impatient = {
      nginx: replaced(/proxy_read_timeout \w+;/, 'proxy_read_timeout 1s;'),
      haproxy: replaced(/timeout server \w+/, 'timeout server 1s'),
    }
    const waiting: { host: string; expected: number }[] = []
    for (const kind of ['nginx', 'haproxy'] as const) {
      const options = { kind, authority, server: server.host }
      waiting.push({ host: (await startFront(stack, options)).host, expected: 403 })
      waiting.push({ host: (await startFront(stack, { ...options, change: impatient[kind] })).host, expected: 504 })
    }
    const pulls = waiting.map(({ host }) => heard(`https://${host}`, '/v2/shop/waits/manifests/1', server.developer))
    for (const [at, answer] of (await Promise.all(pulls)).entries()) {
      assert.equal(answer.status, waiting[at]?.expected, answer.body)
      if (answer.status === 403) assert.match(answer.body, /is being examined/)
    }
    worker.goOn()
    await expectVerdict(server, 'shop/waits:1', 'allow')
  })

  test('the documented proxies wait longer than the longest gate.waitSeconds', async () => {
    const schema = JSON.parse(await readFile(join(import.meta.dirname, '../../docs/lazaret.schema.json'), 'utf8')) as Schema
    const longest = schema.properties.gate.properties.waitSeconds.maximum
    for (const [kind, names] of [
      ['nginx', ['proxy_read_timeout', 'proxy_send_timeout', 'client_body_timeout']],
      ['haproxy', ['timeout client', 'timeout server']],
    ] as const) {
      const text = await documented(kind)
      for (const name of names) assert.ok(Number(new RegExp(`${name} (\\d+)s`).exec(text)?.[1]) > longest, `${kind}: ${name}`)
    }
  })
})

interface Schema {
  properties: { gate: { properties: { waitSeconds: { maximum: number } } } }
}

/** Ends an upload and reads the blob back. */
async function finish(origin: string, server: Lazaret, patched: Heard, bytes: Buffer): Promise<void> {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const location = patched.headers.location ?? ''
  const path = `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`
  const ended = await heard(origin, path, { method: 'PUT', headers: { 'content-length': '0' }, ...server.developer })
  assert.equal(ended.status, 201, ended.body)
  const repository = /^\/v2\/(.+)\/blobs\//.exec(location)?.[1] ?? ''
  const head = await heard(origin, `/v2/${repository}/blobs/${digest}`, { method: 'HEAD', ...server.developer })
  assert.deepEqual([head.status, head.headers['content-length']], [200, String(bytes.length)])
}

async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const sizes = entries.filter((entry) => entry.isFile()).map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

async function until(look: () => Promise<boolean>, problem: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(20)) if (await look()) return
  throw new Error(problem)
}
