import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'
import { createGuard } from './guard.ts'
import { rangesOf } from '../network/ranges.ts'
import { createOutgoing, type OutgoingRequest } from './outgoing.ts'

const direct = createOutgoing({ network: { allowPrivate: [] } }, {})

async function withServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  work: (origin: string) => Promise<void>,
): Promise<void> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

/** A proxy that answers whatever comes with these bytes, or never. Out: what it was sent. */
async function withProxy(answer: string | undefined, work: (port: number, sent: () => string) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>()
  let text = ''
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (answer !== undefined) socket.write(answer, 'latin1')
      if (answer?.endsWith('END') === true) socket.destroy()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await work((server.address() as AddressInfo).port, () => text)
  } finally {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
}

test('method, headers and body go out, status, headers and body come back, and a redirect is not followed', async () => {
  await withServer(
    (request, response) => {
      if (request.url === '/moved') return void response.writeHead(302, { location: '/' }).end('there')
      let body = ''
      request
        .on('data', (chunk: Buffer) => (body += chunk))
        .on('end', () => {
          response.writeHead(201, { 'x-seen': `${request.method} ${request.headers['x-own']} ${body}`, 'set-cookie': ['a', 'b'] }).end(body)
        })
    },
    async (origin) => {
      const pieces = (async function* () {
        yield Buffer.from('one ')
        yield Buffer.from('two')
      })()
      const answer = await direct.fetch(new URL(`${origin}/x`), { method: 'PUT', headers: { 'x-own': '1' }, body: pieces })
      assert.deepEqual([answer.status, answer.headers.get('x-seen'), await answer.text()], [201, 'PUT 1 one two', 'one two'])
      assert.deepEqual(answer.headers.getSetCookie(), ['a', 'b'])
      const moved = await direct.fetch(new URL(`${origin}/moved`))
      assert.deepEqual([moved.status, moved.headers.get('location'), await moved.text()], [302, '/', 'there'])
      assert.equal((await direct.fetch(new URL(`${origin}/x`), { method: 'HEAD' })).body, null)
    },
  )
})

test('a body that breaks off, one that stands still, an answer that does not come, and who is not there', async () => {
  await withServer(
    (request, response) => {
      if (request.url === '/never') return
      response.writeHead(200, { 'content-length': '10' }).write('12345')
      if (request.url === '/broken') setImmediate(() => response.destroy())
    },
    async (origin) => {
      const ask = (path: string, request: OutgoingRequest = {}) => direct.fetch(new URL(origin + path), request)
      await assert.rejects((await ask('/broken')).text(), { code: 'UNAVAILABLE', message: `${origin} does not answer (ECONNRESET)` })
      await assert.rejects((await ask('/still', { idleMs: 100 })).text(), {
        code: 'UNAVAILABLE',
        message: `${origin} stopped in the middle of its answer: nothing came for 0.1 s`,
      })
      await assert.rejects(ask('/never', { answerMs: 100 }), { code: 'UNAVAILABLE', message: `${origin} does not answer within 0.1 s` })
      await assert.rejects(ask('/never', { signal: AbortSignal.timeout(100) }), { code: 'UNAVAILABLE' })
      await (await ask('/still')).body?.cancel()
    },
  )
  await assert.rejects(direct.fetch(new URL('http://127.0.0.1:9/')), { message: 'http://127.0.0.1:9 does not answer (ECONNREFUSED)' })
  await assert.rejects(direct.fetch(new URL('file:///etc/passwd')), { code: 'INPUT_INVALID' })
})

for (const [name, answer, https, http] of [
  [
    'wants a sign-in',
    'HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n',
    /^the proxy http:\/\/127\.0\.0\.1:\d+ wants a sign-in, or another one \(407\): https_proxy can have it/,
    /wants a sign-in, or another one \(407\): HTTP_PROXY/,
  ],
  [
    'refuses',
    'HTTP/1.1 403 Filtered\r\nContent-Length: 0\r\n\r\n',
    /^the proxy http:\/\/127\.0\.0\.1:\d+ \(https_proxy\) does not open a way to registry\.example: it answers 403$/,
    undefined,
  ],
  [
    'speaks something else',
    'SSH-2.0-OpenSSH\r\n\r\nEND',
    /^the proxy http:\/\/127\.0\.0\.1:\d+ \(https_proxy\) does not /,
    /^the proxy http:\/\/127\.0\.0\.1:\d+ \(HTTP_PROXY\) does not answer as an HTTP proxy does$/,
  ],
  ['hangs up', 'END', /^the proxy http:\/\/127\.0\.0\.1:\d+ \(https_proxy\) does not /, /through the proxy|HTTP_PROXY/],
  [
    'never answers',
    undefined,
    /^the proxy http:\/\/127\.0\.0\.1:\d+ \(https_proxy\) opens no way to registry\.example within 0\.3 s$/,
    /^http:\/\/registry\.example does not answer through the proxy http:\/\/127\.0\.0\.1:\d+ within 0\.3 s$/,
  ],
  [
    'opens the way and says no more',
    'HTTP/1.1 200 OK\r\n\r\n',
    /^the proxy http:\/\/127\.0\.0\.1:\d+ \(https_proxy\) opens no way to registry\.example within 0\.3 s$|through the proxy/,
    undefined,
  ],
] as const) {
  test(`a proxy that ${name} is named, without its password`, async () => {
    await withProxy(answer, async (port, sent) => {
      const proxy = `http://user:pass%40word@127.0.0.1:${port}`
      const outgoing = createOutgoing({ network: { allowPrivate: [] } }, { https_proxy: proxy, HTTP_PROXY: proxy })
      for (const [url, words] of [
        ['https://registry.example/v2/', https],
        ['http://registry.example/v2/', http],
      ] as const) {
        if (words === undefined) continue
        await assert.rejects(outgoing.fetch(new URL(url), { connectMs: 300, answerMs: 300 }), (error: Error & { code?: string }) => {
          assert.equal(error.code, 'UNAVAILABLE')
          assert.match(error.message, words)
          assert.doesNotMatch(error.message, /user|word/)
          return true
        })
      }
      assert.match(sent(), /^CONNECT registry\.example:443 HTTP\/1\.1\r\nproxy-authorization: Basic dXNlcjpwYXNzQHdvcmQ=\r\n/i)
    })
  })
}

test('a proxy that is not there is named', async () => {
  const outgoing = createOutgoing({ network: { allowPrivate: [] } }, { HTTPS_PROXY: 'http://127.0.0.1:9' })
  await assert.rejects(outgoing.fetch(new URL('https://registry.example/')), {
    message: 'the proxy http://127.0.0.1:9 (HTTPS_PROXY) cannot be reached (ECONNREFUSED)',
  })
})

test('an answer leads no further in than the server is that gave it', async () => {
  const ways: [from: 'loopback' | 'private' | 'public', open: string[], shut: string[]][] = [
    ['public', ['1.1.1.1', '2606:4700::1'], ['127.0.0.1', '10.0.0.1', '169.254.169.254', 'fd00::1', '::1', '0.0.0.0']],
    ['private', ['1.1.1.1', '10.0.0.1', 'fd00::1'], ['127.0.0.1', '::1', '169.254.169.254', 'fe80::1']],
    ['loopback', ['1.1.1.1', '10.0.0.1', '127.0.0.1', '::1'], ['169.254.169.254', '0.0.0.0']],
  ]
  for (const [from, open, shut] of ways) {
    const guard = createGuard('led.example', from, rangesOf([]))
    for (const address of open) guard.check(address)
    for (const address of shut)
      assert.throws(() => guard.check(address), { code: 'DENIED', message: /network\.allowPrivate/ }, `${from} ${address}`)
  }
  createGuard('led.example', 'public', rangesOf(['169.254.169.254/32'])).check('169.254.169.254')
})

test('what is led to is asked only where it may be, by address, by name, and through a proxy', async () => {
  await withServer(
    (_request, response) => response.end('{}'),
    async (origin) => {
      const { port } = new URL(origin)
      const ledBy = new Response('') // of a server that is not known to be near
      for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '169.254.169.254', '10.0.0.1', '0.0.0.0'])
        await assert.rejects(direct.fetch(new URL(`http://${host}:${port}/`), { ledBy }), { code: 'DENIED' }, host)
      const proxied = createOutgoing({ network: { allowPrivate: [] } }, { HTTP_PROXY: origin })
      await assert.rejects(proxied.fetch(new URL('http://169.254.169.254/'), { ledBy }), { code: 'DENIED' })
      assert.equal((await proxied.fetch(new URL('http://metadata.example/'), { ledBy })).status, 200, 'the proxy looks names up')
      const near = await direct.fetch(new URL(origin))
      assert.equal((await direct.fetch(new URL(origin), { ledBy: near })).status, 200)
      const allowing = createOutgoing({ network: { allowPrivate: ['127.0.0.1/32'] } }, {})
      assert.equal((await allowing.fetch(new URL(`http://localhost:${port}/`), { ledBy })).status, 200)
    },
  )
})
