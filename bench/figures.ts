// The figures of the first capability: how long a start takes, empty and with 2,000 repositories, and how soon after the
// push of a 50 MB Debian image its verdict stands. Run: sh bin/run bench/figures.ts [RUNS]
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqliteRecords } from '../src/store/records/sqlite.ts'
import { debianRootfs } from '../test/support/debian.ts'
import { imageOfLayers } from '../test/support/images.ts'
import { packLayer } from '../test/support/layers.ts'

const launcher = join(import.meta.dirname, '..', 'bin', 'lazaret')
const password = 'the-admin-of-this-bench'
const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
const runs = Number(process.argv[2] ?? 5)

console.log(`${cpus().length} × ${cpus()[0]?.model ?? '?'}, Node ${process.versions.node}, ${runs} runs each: median (least to most)`)
await benchStart('start, empty folder', async () => undefined)
await benchStart('start, 2,000 repositories', seedRepositories)
await benchVerdict()

interface Server {
  child: ChildProcess
  port: number
  readyMs: number
}

async function benchStart(name: string, seed: (data: string) => Promise<void>): Promise<void> {
  const times: number[] = []
  for (let run = 0; run <= runs; run++) {
    const data = await mkdtemp(join(tmpdir(), 'lazaret-bench-'))
    await seed(data)
    const server = await start(data)
    if (run > 0) times.push(server.readyMs) // the first fills caches
    await stop(server)
    await rm(data, { recursive: true, force: true })
  }
  report(name, times)
}

async function benchVerdict(): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), 'lazaret-bench-'))
  const server = await start(data)
  await sleep(1500) // what a start leaves to do beside serving
  const times: number[] = []
  let size = 0
  for (let run = 0; run < runs; run++) {
    const layer = await packLayer(await freshRootfs(), 'gzip', 'oci')
    size = layer.bytes.length
    const image = imageOfLayers([layer])
    const manifest = image.manifests.get(image.root.digest)
    if (manifest === undefined) throw new Error('an image without its manifest')
    const pushed = await push(server, `debian/run${run}`, [...image.blobs.values()], manifest.bytes, manifest.mediaType)
    times.push((await verdictAt(server, `debian/run${run}`)) - pushed)
  }
  report(`verdict after the push of a Debian image of ${Math.round(size / 1e6)} MB ended`, times)
  await stop(server)
  await rm(data, { recursive: true, force: true })
}

/** The same files with other bytes at the end of the tar, so that no layer is known from the run before. */
async function freshRootfs(): Promise<Buffer> {
  const tar = await debianRootfs()
  const name = `tmp/${randomBytes(8).toString('hex')}`
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write('0000644\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write('00000000000\0', 124)
  header.write('00000000000\0', 136)
  header.write('        0', 148)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, tar])
}

/** A folder that was served from before, as one with 2,000 repositories has been. */
async function seedRepositories(data: string): Promise<void> {
  await stop(await start(data))
  const records = await openSqliteRecords(join(data, 'records.sqlite'))
  await records.write(async (tx) => {
    for (let at = 0; at < 2000; at++) {
      const repository = await tx
        .insertInto('repositories')
        .values({ name: `team${at % 40}/service-${at}`, created_at: at })
        .returning('id')
        .executeTakeFirstOrThrow()
      const content = Buffer.from(`{"schemaVersion":2,"at":${at}}`)
      const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
      const manifest = await tx
        .insertInto('manifests')
        .values({
          digest,
          kind: 'artifact',
          media_type: 'application/vnd.oci.image.manifest.v1+json',
          artifact_type: null,
          subject: null,
          annotations: '{}',
          config_digest: null,
          size: content.length,
          content,
          created_at: at,
        })
        .returning('id')
        .executeTakeFirstOrThrow()
      await tx
        .insertInto('manifest_links')
        .values({ repository_id: repository.id, manifest_id: manifest.id, pushed_at: at, pushed_by: 'user:admin' })
        .execute()
      await tx
        .insertInto('tags')
        .values({ repository_id: repository.id, name: 'latest', manifest_id: manifest.id, updated_at: at, updated_by: 'user:admin' })
        .execute()
    }
  })
  await records.close()
}

async function start(data: string): Promise<Server> {
  const port = await freePort()
  const env = {
    ...process.env,
    LAZARET_DATA: data,
    LAZARET_LISTEN: `127.0.0.1:${port}`,
    LAZARET_ADMIN_PASSWORD: password,
    LAZARET_LOG: 'warn',
  }
  const began = performance.now()
  const child = spawn(launcher, ['serve'], { env, cwd: data, stdio: ['ignore', 'inherit', 'inherit'] })
  for (;;) {
    const ready = await fetch(`http://127.0.0.1:${port}/health/ready`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (ready) return { child, port, readyMs: performance.now() - began }
    if (performance.now() - began > 60_000) throw new Error('the server does not start')
    await sleep(5)
  }
}

function stop({ child }: Server): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
}

async function push({ port }: Server, name: string, blobs: Uint8Array[], manifest: Buffer, mediaType: string): Promise<number> {
  const base = `http://127.0.0.1:${port}/v2/${name}`
  for (const blob of blobs) {
    const digest = `sha256:${createHash('sha256').update(blob).digest('hex')}`
    await must(
      fetch(`${base}/blobs/uploads/?digest=${digest}`, { method: 'POST', headers: { authorization }, body: Buffer.from(blob) }),
      201,
    )
  }
  await must(fetch(`${base}/manifests/1`, { method: 'PUT', headers: { authorization, 'content-type': mediaType }, body: manifest }), 201)
  return performance.now()
}

async function verdictAt({ port }: Server, name: string): Promise<number> {
  const answer = await must(fetch(`http://127.0.0.1:${port}/api/v1/verdict?image=${name}:1&wait=60`, { headers: { authorization } }), 200)
  const verdict = (await answer.json()) as { decision: string }
  if (verdict.decision === 'pending') throw new Error('no verdict')
  return performance.now()
}

async function must(asked: Promise<Response>, status: number): Promise<Response> {
  const answer = await asked
  if (answer.status !== status) throw new Error(`${answer.url}: ${answer.status} ${await answer.text()}`)
  return answer
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

function report(name: string, times: number[]): void {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN)
  console.log(`${name}: ${at(0.5)} ms (${at(0)} to ${at(1)})`)
}
