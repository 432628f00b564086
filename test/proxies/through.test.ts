// Commands through a proxy that looks names up, to a registry whose certificate is by an authority of its own.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Authority, openAuthority } from '../support/authority.ts'
import { type Daemon, freePort, startDaemon } from '../support/daemon.ts'
import { critical, fixedImage } from '../support/held.ts'
import { type Lazaret, launcher, startLazaret } from '../support/lazaret.ts'
import { openNames } from '../support/names.ts'
import { type Outcome, run } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import { startFront } from './fronts.ts'

interface Tinyproxy {
  url: string
  /** What it was asked to connect to, in order. */
  asked: () => string[]
}

describe('through tinyproxy', { skip: lacking('tinyproxy', 'haproxy', 'openssl', 'unshare', 'setpriv') }, () => {
  const stack = new AsyncDisposableStack()
  let authority: Authority
  let server: Lazaret
  let inNames: Awaited<ReturnType<typeof openNames>>
  let proxy: Tinyproxy
  /** `registry.example:PORT`, a name that only the proxy knows. */
  let registry: string
  let folder: string

  before(async () => {
    authority = await openAuthority(stack)
    inNames = await openNames(stack, 'registry.example')
    const port = await freePort()
    registry = `registry.example:${port}`
    server = await startLazaret(stack, { policy: 'observe', env: { LAZARET_BEHIND_PROXY: 'true' } })
    await startFront(stack, { kind: 'haproxy', authority, server: server.host, port })
    assert.equal((await server.protocol(server.developer).push('shop/api', await fixedImage(critical, 'api'), '1')).status, 201)
    proxy = await startTinyproxy(stack, inNames)
    folder = await scratch(stack, 'through')
  })
  after(() => stack.disposeAsync())

  const trusting = () => ({ LAZARET_NETWORK_CA: authority.file })
  const lazaret = (args: readonly string[], env: Record<string, string>, input?: string): Promise<Outcome> => {
    const own = { DOCKER_CONFIG: join(folder, 'docker'), XDG_CACHE_HOME: join(folder, 'cache') }
    return run(launcher, args, { cwd: folder, env: { ...own, ...env }, ...(input === undefined ? {} : { input }) })
  }
  const scan = (env: Record<string, string>) => lazaret(['scan', `${registry}/shop/api:1`], env)
  const succeeds = (outcome: Outcome) => assert.equal(outcome.code, 0, outcome.output)
  const fails = ({ code, stderr, output }: Outcome, words: RegExp) => {
    assert.equal(code, 1, output)
    assert.match(stderr, words)
    assert.doesNotMatch(output, /s3cret/)
  }

  test('login, a command to the server, and a scan: each by CONNECT, by name', async () => {
    const env = { ...trusting(), HTTPS_PROXY: proxy.url }
    const { username, password } = server.developer
    const login = await lazaret(['login', `https://${registry}`, '-u', username, '--password-stdin'], env, password)
    succeeds(login)
    const history = await lazaret(['tags', 'history', 'shop/api:1'], { ...env, LAZARET_SERVER: `https://${registry}` })
    succeeds(history)
    assert.match(history.stdout, /sha256:/)
    const before = proxy.asked().length
    const scanned = await scan(env)
    succeeds(scanned)
    assert.match(scanned.stdout, /shop\/api:1\nsha256:/)
    assert.ok(before >= 2 && proxy.asked().length >= before + 4, 'challenge, token, manifest, config and layers')
    assert.deepEqual([...new Set(proxy.asked())], [`CONNECT ${registry}`])
  })

  test('the lower case name, and NODE_EXTRA_CA_CERTS', async () => {
    succeeds(await scan({ https_proxy: proxy.url, HTTPS_PROXY: 'http://127.0.0.1:9', NODE_EXTRA_CA_CERTS: authority.file }))
  })

  test('an authority that is not known, another one, and a file that is none, in words with the remedy', async () => {
    const other = await openAuthority(stack, 'another authority')
    const unknown =
      /the certificate of registry\.example:\d+ through the proxy http:\/\/127\.0\.0\.1:\d+ is by an authority that is not known here \([A-Z_]+\): if it is yours, name its PEM file in network\.ca \(LAZARET_NETWORK_CA\) or NODE_EXTRA_CA_CERTS/
    fails(await scan({ HTTPS_PROXY: proxy.url }), unknown)
    fails(await scan({ HTTPS_PROXY: proxy.url, LAZARET_NETWORK_CA: other.file }), unknown)
    await writeFile(join(folder, 'broken.pem'), (await readFile(authority.file, 'utf8')).replace(/^MI.{20}/m, 'MIIBAAAAAAAAAAAAAAAAAAAA'))
    for (const [file, words] of [
      ['none.pem', /network\.ca can't be read: ENOENT/],
      ['broken.pem', /network\.ca: certificate 1 of 1 in .*broken\.pem can't be read/],
      [launcher, /network\.ca: .* holds no certificate in PEM/],
    ] as const)
      fails(await scan({ HTTPS_PROXY: proxy.url, LAZARET_NETWORK_CA: file }), words)
  })

  test('NO_PROXY leads past it', async () => {
    const port = registry.split(':')[1] ?? ''
    for (const noProxy of ['registry.example', '*.example', `registry.example:${port}`]) {
      const before = proxy.asked().length
      const [command, args] = inNames(launcher, ['scan', `${registry}/shop/api:1`])
      const env = {
        ...trusting(),
        HTTPS_PROXY: proxy.url,
        NO_PROXY: noProxy,
        DOCKER_CONFIG: join(folder, 'docker'),
        XDG_CACHE_HOME: join(folder, 'cache'),
      }
      succeeds(await run(command, args, { cwd: folder, env }))
      assert.equal(proxy.asked().length, before, noProxy)
    }
    const before = proxy.asked().length
    succeeds(await scan({ ...trusting(), HTTPS_PROXY: proxy.url, NO_PROXY: 'registry.example:1,other.example,10.0.0.0/8' }))
    assert.ok(proxy.asked().length > before)
  })

  test('a proxy that wants a sign-in gets it, and is named where it is wrong', async () => {
    const guarded = await startTinyproxy(stack, inNames, 'BasicAuth builder s3cret-of.builder\n')
    const as = (who: string) => ({ ...trusting(), HTTPS_PROXY: guarded.url.replace('http://', `http://${who}`) })
    succeeds(await scan(as('builder:s3cret%2Dof.builder@')))
    for (const who of ['', 'builder:s3cret@'])
      fails(
        await scan(as(who)),
        /the proxy http:\/\/127\.0\.0\.1:\d+ wants a sign-in, or another one \(40[17]\): HTTPS_PROXY can have it as http:\/\/USER:PASSWORD@HOST:PORT/,
      )
  })

  test('a proxy that refuses the name, and one that is not there', async () => {
    await writeFile(join(folder, 'filter'), '^nothing$\n')
    const refusing = await startTinyproxy(stack, inNames, `Filter "${join(folder, 'filter')}"\nFilterDefaultDeny Yes\n`)
    fails(
      await scan({ ...trusting(), HTTPS_PROXY: refusing.url }),
      /the proxy http:\/\/127\.0\.0\.1:\d+ \(HTTPS_PROXY\) does not open a way to registry\.example:\d+: it answers 403/,
    )
    fails(
      await scan({ ...trusting(), HTTPS_PROXY: 'http://u:s3cret@127.0.0.1:9' }),
      /the proxy http:\/\/127\.0\.0\.1:9 \(HTTPS_PROXY\) cannot be reached \(ECONNREFUSED\)/,
    )
    fails(await scan({ ...trusting(), HTTPS_PROXY: 'socks5://u:s3cret@127.0.0.1:9' }), /HTTPS_PROXY names no HTTP proxy/)
  })

  test('offline asks no proxy either', async () => {
    const before = proxy.asked().length
    fails(await scan({ ...trusting(), HTTPS_PROXY: proxy.url, LAZARET_OFFLINE: 'true' }), /this is offline \(LAZARET_OFFLINE\)/)
    assert.equal(proxy.asked().length, before)
  })

  test('plain HTTP goes to HTTP_PROXY, and this machine to none', async () => {
    const [, port = ''] = server.host.split(':')
    const env = { HTTP_PROXY: proxy.url, LAZARET_USERNAME: 'admin', LAZARET_PASSWORD: server.admin.password }
    const before = proxy.asked().length
    succeeds(await lazaret(['users', 'list'], { ...env, LAZARET_SERVER: `http://${server.host}` }))
    assert.equal(proxy.asked().length, before)
    succeeds(await lazaret(['users', 'list'], { ...env, LAZARET_SERVER: `http://registry.example:${port}` }))
    assert.deepEqual(proxy.asked().slice(before), [`GET http://registry.example:${port}/api/v1/users`])
  })
})

/** In: what its configuration has besides. Out: it, where names are that are nowhere else. */
async function startTinyproxy(stack: AsyncDisposableStack, inNames: Awaited<ReturnType<typeof openNames>>, more = ''): Promise<Tinyproxy> {
  const port = await freePort()
  const file = join(await scratch(stack, 'tinyproxy'), 'tinyproxy.conf')
  await writeFile(file, `Port ${port}\nListen 127.0.0.1\nTimeout 60\nLogLevel Connect\nMaxClients 100\n${more}`)
  const [command, args] = inNames('tinyproxy', ['-d', '-c', file])
  const daemon: Daemon = await startDaemon(stack, { command, args, ready: () => accepts(port) })
  const asked = () => Array.from(daemon.log().matchAll(/Request \(file descriptor \d+\): (\S+ [^\s?]+)/g), (match) => match[1] ?? '')
  return { url: `http://127.0.0.1:${port}`, asked }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
