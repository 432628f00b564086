// Requests as docker makes them. Large bodies go through curl, which costs next to nothing.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { sha256 } from '../../test/support/content.ts'
import type { BenchFile } from './files.ts'
import type { Peer } from './peers.ts'

const run = promisify(execFile)
const agent = new Agent({ keepAlive: true, maxSockets: 64 })
export const manifestType = 'application/vnd.oci.image.manifest.v1+json'
export const indexType = 'application/vnd.oci.image.index.v1+json'

export interface Answer {
  status: number
  location: string
  body: string
}

export type Asked = Pick<Peer, 'name' | 'origin' | 'authorization'>

export function ask(peer: Asked, method: string, path: string, body?: Buffer, type?: string, through: Agent = agent): Promise<Answer> {
  const headers = {
    accept: `${manifestType}, ${indexType}`,
    'content-length': String(body?.length ?? 0),
    ...(type === undefined ? {} : { 'content-type': type }),
    ...(peer.authorization === undefined ? {} : { authorization: peer.authorization }),
  }
  return new Promise((resolve, reject) => {
    const asked = request(absolute(peer, path), { method, headers, agent: through }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: answer.statusCode ?? 0, location: answer.headers.location ?? '', body: text })
      })
      answer.on('error', reject)
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

/** Throws where the answer is another. */
export async function must(peer: Asked, status: number, ...asked: Parameters<typeof ask> extends [Asked, ...infer Rest] ? Rest : never) {
  const answer = await ask(peer, ...asked)
  if (answer.status !== status) throw new Error(`${peer.name}: ${asked[0]} ${asked[1]}: ${answer.status} ${answer.body.slice(0, 300)}`)
  return answer
}

/** By POST, PATCH and PUT, as docker does. In: a head that comes before the file's bytes, where the digest is of both. */
export async function upload(peer: Peer, name: string, file: BenchFile, head?: Buffer): Promise<void> {
  let { location } = await must(peer, 202, 'POST', `/v2/${name}/blobs/uploads/`)
  if (head !== undefined) ({ location } = await must(peer, 202, 'PATCH', location, head, 'application/octet-stream'))
  const auth = peer.authorization === undefined ? [] : ['-H', `Authorization: ${peer.authorization}`]
  const range = head === undefined ? [] : ['-H', `Content-Range: ${head.length}-${head.length + file.sizeBytes - 1}`]
  const options = ['-sS', '-o', '/dev/null', '-D', '-', '-X', 'PATCH', '-T', file.path, '-H', 'Expect:', ...range, ...auth]
  const patched = await run('curl', [...options, absolute(peer, location)])
  location = /^location: *(\S+)/im.exec(patched.stdout)?.[1] ?? ''
  if (location === '') throw new Error(`${peer.name}: PATCH ${patched.stdout.slice(0, 300)}`)
  await must(peer, 201, 'PUT', withDigest(peer, location, file.digest))
}

export async function download(peer: Peer, path: string): Promise<void> {
  const auth = peer.authorization === undefined ? [] : ['-H', `Authorization: ${peer.authorization}`]
  const { stdout } = await run('curl', ['-sS', '-o', '/dev/null', '-w', '%{http_code} %{size_download}', ...auth, `${peer.origin}${path}`])
  if (!stdout.startsWith('200 ')) throw new Error(`${peer.name}: GET ${path} ${stdout}`)
}

/** An image of one layer, made before anything is timed. */
export interface SmallImage {
  layer: Buffer
  config: Buffer
  manifest: Buffer
  layerDigest: string
  configDigest: string
}

export function smallImage(size: number): SmallImage {
  const layer = Buffer.alloc(size, 7)
  randomBytes(64).copy(layer)
  const config = Buffer.from(JSON.stringify({ made: randomBytes(8).toString('hex') }))
  const [layerDigest, configDigest] = [sha256(layer), sha256(config)]
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: configDigest, size: config.length },
    layers: [{ mediaType: 'application/octet-stream', digest: layerDigest, size }],
  }
  return { layer, config, manifest: Buffer.from(JSON.stringify(manifest)), layerDigest, configDigest }
}

export async function pushImage(peer: Asked, name: string, tag: string, image: SmallImage): Promise<void> {
  await putBlob(peer, name, image.layerDigest, image.layer)
  await putBlob(peer, name, image.configDigest, image.config)
  await must(peer, 201, 'PUT', `/v2/${name}/manifests/${tag}`, image.manifest, manifestType)
}

export async function putBlob(peer: Asked, name: string, digest: string, bytes: Buffer, through?: Agent): Promise<void> {
  const { location } = await must(peer, 202, 'POST', `/v2/${name}/blobs/uploads/`, undefined, undefined, through)
  await must(peer, 201, 'PUT', withDigest(peer, location, digest), bytes, 'application/octet-stream', through)
}

function withDigest(peer: Asked, location: string, digest: string): string {
  return `${absolute(peer, location)}${location.includes('?') ? '&' : '?'}digest=${digest}`
}

function absolute(peer: Asked, location: string): string {
  return location.startsWith('http') ? location : `${peer.origin}${location}`
}

export async function token(peer: Asked, scope: string, through?: Agent): Promise<string> {
  const answer = await must(peer, 200, 'GET', `/token?service=lazaret&scope=${encodeURIComponent(scope)}`, undefined, undefined, through)
  return (JSON.parse(answer.body) as { token: string }).token
}

const mostSettlingMs = 300_000

/** What Lazaret still has to look into would slow down whoever is measured next. */
export async function settled(peer: Asked): Promise<void> {
  if (peer.name !== 'Lazaret') return
  for (const until = performance.now() + mostSettlingMs; performance.now() < until; await sleep(50)) {
    const { counts } = JSON.parse((await must(peer, 200, 'GET', '/api/v1/jobs?limit=1')).body) as { counts: Record<string, number> }
    if (counts['waiting'] === 0 && counts['running'] === 0) return
  }
  throw new Error('the jobs of Lazaret do not end')
}

export function closeClient(): void {
  agent.destroy()
}
