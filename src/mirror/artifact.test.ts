// Answers of a registry that is not what it should be. What works is tried with real ones: test/api/air-gapped.test.ts.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { LazaretError, type ErrorCode } from '../kit/errors.ts'
import { createOutgoing } from '../kit/outgoing/outgoing.ts'
import { pullArtifact, pushArtifact } from './artifact.ts'

const kind = { artifactType: 'application/vnd.test.v1', mediaType: 'application/vnd.test.v1+zstd' }
const way = {
  outgoing: createOutgoing({ network: { allowPrivate: [] } }, {}),
  credentialsFor: async () => ({ username: 'u', password: 'p' }),
}
const layerBytes = Buffer.from('the bytes of the layer')
const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const layer = { mediaType: kind.mediaType, digest: digestOf(layerBytes), size: layerBytes.length }
const manifest = { schemaVersion: 2, artifactType: kind.artifactType, layers: [layer] }

interface World {
  host: string
  folder: string
}

async function registry(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse, host: string) => void,
): Promise<World> {
  const server = createServer((request, response) => answer(request, response, request.headers.host ?? ''))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-artifact-'))
  t.after(() => {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, folder }
}

/** A registry with one manifest and one blob. */
function holding(t: TestContext, body: string, blob: Buffer): Promise<World> {
  return registry(t, (request, response) => void response.end(request.url?.includes('/manifests/') === true ? body : blob))
}

const rejects = (promise: Promise<unknown>, code: ErrorCode, message: RegExp) =>
  assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof LazaretError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  })

test('what is pulled is held to digest, size and kind', async (t) => {
  const bad: [object | string, Buffer, ErrorCode, RegExp][] = [
    [manifest, Buffer.from('other bytes than those of it.'), 'UNREADABLE', /not what its digest says/],
    [manifest, layerBytes.subarray(0, 5), 'UNREADABLE', /not what its digest says/],
    [manifest, Buffer.concat([layerBytes, layerBytes]), 'UNREADABLE', /not what its digest says/],
    [{ ...manifest, layers: [{ ...layer, size: 2 ** 40 }] }, layerBytes, 'LIMIT_EXCEEDED', /1099511627776 bytes, more than 1000/],
    [{ ...manifest, layers: [] }, layerBytes, 'UNREADABLE', /has 0 layers/],
    [{ ...manifest, layers: 'one' }, layerBytes, 'UNREADABLE', /no list of layers/],
    [{ ...manifest, layers: [{ ...layer, digest: 'sha256:../../x' }] }, layerBytes, 'UNREADABLE', /no descriptor/],
    [{ ...manifest, layers: [{ ...layer, mediaType: 'text/html' }] }, layerBytes, 'UNREADABLE', /is "text\/html", not/],
    [{ manifests: [] }, layerBytes, 'UNREADABLE', /an image or an index/],
    ['<html>', layerBytes, 'UNREADABLE', /not JSON/],
    [' '.repeat(1024 * 1024 + 1), layerBytes, 'LIMIT_EXCEEDED', /more than 1048576 bytes/],
  ]
  for (const [body, blob, code, message] of bad) {
    const { host, folder } = await holding(t, typeof body === 'string' ? body : JSON.stringify(body), blob)
    await rejects(pullArtifact(`${host}/a/b:1`, join(folder, 'file'), { ...kind, mostBytes: 1000 }, way), code, message)
  }
  const { host, folder } = await holding(t, JSON.stringify(manifest), layerBytes)
  const other = `sha256:${'0'.repeat(64)}`
  await rejects(pullArtifact(`${host}/a/b@${other}`, join(folder, 'file'), { ...kind, mostBytes: 1000 }, way), 'UNREADABLE', /asked for/)
  assert.equal(existsSync(join(folder, 'file')), false)
  await pullArtifact(`${host}/a/b:1`, join(folder, 'file'), { ...kind, mostBytes: 1000 }, way)
  assert.equal(existsSync(join(folder, 'file')), true)
})

test('a push sends credentials and bytes nowhere else', async (t) => {
  const sent: string[] = []
  const elsewhere = await registry(t, (request, response) => {
    sent.push(`${request.method} ${request.url}`)
    response.writeHead(201).end()
  })
  const leading = (location: string | undefined, status: number) =>
    registry(t, (request, response) => {
      request.resume()
      if (request.headers.authorization === undefined) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      else response.writeHead(status, location === undefined ? {} : { location }).end()
    })
  const push = ({ host, folder }: World) => {
    const path = join(folder, 'made')
    writeFileSync(path, layerBytes)
    return pushArtifact(`${host}/a/b:1`, path, { ...kind, annotations: {} }, way)
  }
  await rejects(push(await leading(`http://${elsewhere.host}/upload`, 202)), 'UNAVAILABLE', /another host/)
  await rejects(push(await leading('//[', 202)), 'UNAVAILABLE', /another host/)
  await rejects(push(await leading(undefined, 202)), 'UNAVAILABLE', /no place to upload to/)
  await rejects(push(await leading(`http://${elsewhere.host}/`, 307)), 'UNAVAILABLE', /answered 307/)
  await rejects(push(await leading(undefined, 401)), 'UNAUTHORIZED', /asks for a sign-in|is refused/)
  assert.deepEqual(sent, [])
  const { host, folder } = await leading(undefined, 202)
  await rejects(pushArtifact(`${host}/a/b@${layer.digest}`, join(folder, 'x'), { ...kind, annotations: {} }, way), 'USAGE', /name a tag/)
})
