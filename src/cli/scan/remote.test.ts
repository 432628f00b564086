// `lazaret scan` of an image in a registry, with the credentials that Docker keeps.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { type Content, sha256 } from '../../../test/support/content.ts'
import { artifactOf, imageOf } from '../../../test/support/images.ts'
import { scratch } from '../../../test/support/scratch.ts'
import { alpineBase, npmApplication } from '../../../test/support/worlds.ts'
import { run } from '../run.ts'

const stack = new AsyncDisposableStack()
const basic = `Basic ${Buffer.from('bob:the-password').toString('base64')}`
let folder = ''
let host = ''
let image: Content
let attached: Content | undefined
let asked: string[] = []

before(async () => {
  folder = await scratch(stack, 'remote')
  image = await imageOf([alpineBase([], '3.17.0'), npmApplication({ minimist: '1.2.5' })])
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (request.headers.authorization !== basic) response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end()
    else answer(request.url ?? '', response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => closed(server))
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const helper = `#!/bin/sh\nread -r host\n[ "$1 $host" = "get ${host}" ] && echo '{"ServerURL":"x","Username":"bob","Secret":"the-password"}'\n`
  await writeFile(join(folder, 'docker-credential-ours'), helper)
  await chmod(join(folder, 'docker-credential-ours'), 0o755)
})
after(() => stack.disposeAsync())

function answer(url: string, response: ServerResponse): void {
  const contents = [image, ...(attached === undefined ? [] : [attached])]
  const name = url.split('/').at(-1) ?? ''
  const digest = name === '1' ? image.root.digest : name
  const bytes = contents.map(({ manifests, blobs }) => manifests.get(digest)?.bytes ?? blobs.get(digest)).find((one) => one !== undefined)
  const referrers = attached === undefined ? [] : [{ ...attached.root, artifactType: 'application/vnd.cyclonedx+json' }]
  if (url.includes('/referrers/')) response.writeHead(200).end(JSON.stringify({ schemaVersion: 2, manifests: referrers }))
  else if (bytes === undefined) response.writeHead(404).end('{}')
  else response.writeHead(200).end(bytes)
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}

async function lazaret(config: object, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const docker = join(folder, crypto.randomUUID())
  await mkdir(docker)
  await writeFile(join(docker, 'config.json'), JSON.stringify(config))
  const env = {
    XDG_CACHE_HOME: join(folder, 'cache'),
    LAZARET_DATA: join(folder, 'none'),
    DOCKER_CONFIG: docker,
    PATH: `${folder}:/usr/bin:/bin`,
  }
  let [out, err] = ['', '']
  asked = []
  const io = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    env,
    cwd: folder,
    stdin: Readable.from([]),
  }
  const code = await run(['scan', `${host}/shop/api:1`, ...args], { ...io, columns: undefined })
  return { code, out, err }
}

test('credentials of the file, of a helper for this host, and of one for all', async () => {
  const auth = Buffer.from('bob:the-password').toString('base64')
  for (const config of [{ auths: { [host]: { auth } } }, { credHelpers: { [host]: 'ours' } }, { credsStore: 'ours' }]) {
    const { code, out, err } = await lazaret(config, '--fail-on', 'critical')
    assert.equal(code, 3, err)
    assert.ok(out.includes(image.root.digest))
    assert.match(out, /critical +CVE-2021-44906 +minimist +1\.2\.5 +1\.2\.6 +2/)
  }
  const { code, err } = await lazaret({})
  assert.equal(code, 1)
  assert.match(err, /wants a sign-in: docker login 127\.0\.0\.1/)
})

test('--base by a reference: its layers are known by its config, and not read', async () => {
  const base = await imageOf([alpineBase([], '3.17.0')])
  attached = base
  const { code, out, err } = await lazaret({ credsStore: 'ours' }, '--base', `${host}/base@${base.root.digest}`)
  attached = undefined
  assert.equal(code, 0, err)
  assert.ok(out.replaceAll(/\s/g, '').includes(`Builton${host}/base@${base.root.digest}(itslowestlayer)`), out)
  const ofBase = asked.filter((url) => url.includes('/base/')).map((url) => url.split('/').at(-1))
  assert.deepEqual(new Set(ofBase), new Set([base.root.digest, [...base.blobs.keys()][0]]), 'its manifest and its config')
})

test('layers that were read before are not asked for again; with --no-cache they are', async () => {
  const config = { credsStore: 'ours' }
  await lazaret(config)
  const layers = [...image.blobs.keys()].slice(1)
  const layersAsked = () => layers.filter((digest) => asked.some((url) => url.endsWith(digest)))
  const known = await lazaret(config, '--verbose')
  assert.deepEqual([known.err, layersAsked()], ['lazaret: known from before: all its layers (2)\n', []])
  const anew = await lazaret(config, '--no-cache')
  assert.deepEqual([anew.out, layersAsked()], [known.out, layers])
})

test('--attached-sbom: the SBOM that refers to the image is judged, no layer is read, and without one it is an error', async () => {
  const config = { credsStore: 'ours' }
  const none = await lazaret(config, '--attached-sbom')
  assert.deepEqual([none.code, none.out], [1, ''])
  assert.match(none.err, /no SBOM is attached to .*: it has 0 referrers/)
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    components: [{ type: 'library', name: 'jquery', version: '3.4.1', purl: 'pkg:npm/jquery@3.4.1' }],
  }
  const mediaType = 'application/vnd.cyclonedx+json'
  attached = artifactOf(mediaType, [{ mediaType, bytes: Buffer.from(JSON.stringify(document)) }], { subject: image.root })
  const { code, out, err } = await lazaret(config, '--attached-sbom', '--fail-on', 'low')
  assert.equal(code, 3, err)
  assert.match(out, /CVE-2020-11023 +jquery +3\.4\.1/)
  assert.doesNotMatch(out, /minimist/)
  const layers = [...image.blobs.values()].slice(1).map((bytes) => sha256(bytes))
  assert.equal(layers.length, 2)
  assert.ok(!asked.some((url) => layers.some((digest) => url.endsWith(digest))))
  const local = await run(['scan', folder, '--attached-sbom'], {
    out: () => undefined,
    err: () => undefined,
    env: {},
    cwd: folder,
    stdin: Readable.from([]),
    columns: undefined,
  })
  assert.equal(local, 2)
})
