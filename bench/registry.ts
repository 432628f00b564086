// Lazaret beside CNCF Distribution in one run, turn by turn: Lazaret signed in and with the gate on, Distribution without either.
// Needs `registry` (go install github.com/distribution/distribution/v3/cmd/registry) in the tools folder or on the PATH, curl and wrk.
// Run: sh bin/run bench/registry.ts [ROUNDS [WORD]], WORD picking rows
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findTools } from '../scripts/prepare.ts'

const run = promisify(execFile)
const rounds = Number(process.argv[2] ?? 3)
const password = 'the-admin-of-this-bench'
const basic = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
const MiB = 1 << 20
const agent = new Agent({ keepAlive: true, maxSockets: 64 })
/** By peer: the manifest that its tags are put on. */
const tagged = new Map<string, string>()

interface Peer {
  name: string
  origin: string
  child: ChildProcess
  authorization: string | undefined
}

interface Row {
  what: string
  unit: string
  /** Larger is better. */
  measure: (peer: Peer, round: number) => Promise<number>
}

const folder = await mkdtemp(join(tmpdir(), 'lazaret-bench-'))
const big = await randomFile('big', 512)
const middle = await Promise.all(Array.from({ length: 8 }, (_, at) => randomFile(`middle-${at}`, 128)))
const peers = [await startLazaret(), await startDistribution()]
for (const peer of peers) await pushImage(peer, 'bench/tagged', 'latest', 1)

const rows: Row[] = [
  { what: 'push of 512 MiB', unit: 'MB/s', measure: (peer, round) => rate([() => upload(peer, `bench/big-${round}`, big)], 512) },
  {
    what: 'push of 8 × 128 MiB at once',
    unit: 'MB/s',
    measure: (peer, round) =>
      rate(
        middle.map((file) => () => upload(peer, `bench/middle-${round}`, file)),
        8 * 128,
      ),
  },
  { what: 'pull of 512 MiB', unit: 'MB/s', measure: (peer, round) => rate([() => download(peer, `bench/big-${round}`, big)], 512) },
  {
    what: 'pull of 512 MiB, 4 at once',
    unit: 'MB/s',
    measure: (peer, round) =>
      rate(
        Array.from({ length: 4 }, () => () => download(peer, `bench/big-${round}`, big)),
        4 * 512,
      ),
  },
  {
    what: 'push of images of 1 MiB, 1 client',
    unit: 'a second',
    measure: (peer, round) => perSecond(1, 40, (at) => pushImage(peer, `bench/one-${round}`, `t${at}`, MiB)),
  },
  {
    what: 'push of images of 1 MiB, 8 clients',
    unit: 'a second',
    measure: (peer, round) => perSecond(8, 160, (at) => pushImage(peer, `bench/eight-${round}`, `t${at}`, MiB)),
  },
  { what: 'manifest GET by tag', unit: 'a second', measure: (peer) => wrk(peer, '/v2/bench/tagged/manifests/latest') },
  { what: 'tag PUT, 8 clients', unit: 'a second', measure: (peer, round) => perSecond(8, 400, (at) => putTag(peer, `r${round}-${at}`)) },
]

console.log(
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model ?? '?'}, Node ${process.versions.node}, ${rounds} rounds, medians; ratio round by round`,
)
console.log('| what | Lazaret | Distribution | ratio |\n|---|---|---|---|')
try {
  for (const row of rows.filter(({ what }) => what.includes(process.argv[3] ?? ''))) await report(row)
} finally {
  for (const peer of peers) peer.child.kill('SIGTERM')
  await sleep(500)
  await rm(folder, { recursive: true, force: true })
}

async function report({ what, unit, measure }: Row): Promise<void> {
  const seen: number[][] = [[], []]
  for (let round = 0; round < rounds; round++) {
    for (const [at, peer] of peers.entries()) seen[at]?.push(await measure(peer, round))
  }
  const [ours = [], theirs = []] = seen
  const ratios = ours.map((value, at) => value / (theirs[at] ?? Number.NaN))
  console.log(
    `| ${what}, ${unit} | ${Math.round(median(ours))} | ${Math.round(median(theirs))} | ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}) |`,
  )
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN
}

async function rate(jobs: (() => Promise<void>)[], mebibytes: number): Promise<number> {
  const began = performance.now()
  await Promise.all(jobs.map((job) => job()))
  return (mebibytes * MiB) / 1000 / (performance.now() - began)
}

async function perSecond(clients: number, count: number, job: (at: number) => Promise<void>): Promise<number> {
  const began = performance.now()
  let next = 0
  const client = async () => {
    while (next < count) await job(next++)
  }
  await Promise.all(Array.from({ length: clients }, client))
  return (count * 1000) / (performance.now() - began)
}

async function wrk(peer: Peer, path: string): Promise<number> {
  const accept = ['-H', 'Accept: application/vnd.oci.image.manifest.v1+json']
  const token = peer.authorization === undefined ? [] : ['-H', `Authorization: Bearer ${await pullToken(peer)}`]
  const { stdout } = await run('wrk', ['-t1', '-c8', '-d4', ...accept, ...token, `${peer.origin}${path}`])
  if (/Non-2xx/.test(stdout)) throw new Error(stdout)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
}

async function pullToken(peer: Peer): Promise<string> {
  const answer = await ask(peer, 'GET', '/token?service=lazaret&scope=repository:bench/tagged:pull')
  return (JSON.parse(answer.body) as { token: string }).token
}

interface BenchFile {
  path: string
  digest: string
}

async function randomFile(name: string, mebibytes: number): Promise<BenchFile> {
  const path = join(folder, name)
  const bytes = Buffer.concat([randomBytes(16), Buffer.alloc(mebibytes * MiB - 16, randomBytes(MiB))])
  await writeFile(path, bytes)
  return { path, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` }
}

/** By POST, PATCH and PUT, as docker does. The bytes differ by repository only in where they are linked: each server stores them anew. */
async function upload(peer: Peer, name: string, file: BenchFile): Promise<void> {
  const begun = await ask(peer, 'POST', `/v2/${name}/blobs/uploads/`)
  const patched = await run('curl', [
    '-sS',
    '-o',
    '/dev/null',
    '-D',
    '-',
    '-X',
    'PATCH',
    '-T',
    file.path,
    '-H',
    'Expect:',
    ...curlAuth(peer),
    absolute(peer, begun.location),
  ])
  const location = /^location: *(\S+)/im.exec(patched.stdout)?.[1] ?? ''
  const done = await ask(peer, 'PUT', `${absolute(peer, location)}${location.includes('?') ? '&' : '?'}digest=${file.digest}`)
  if (done.status !== 201) throw new Error(`${peer.name}: PUT ${done.status} ${done.body}`)
}

async function download(peer: Peer, name: string, file: BenchFile): Promise<void> {
  const { stdout } = await run('curl', [
    '-sS',
    '-o',
    '/dev/null',
    '-w',
    '%{http_code} %{size_download}',
    ...curlAuth(peer),
    `${peer.origin}/v2/${name}/blobs/${file.digest}`,
  ])
  if (!stdout.startsWith('200 ')) throw new Error(`${peer.name}: GET ${stdout}`)
}

function curlAuth(peer: Peer): string[] {
  return peer.authorization === undefined ? [] : ['-H', `Authorization: ${peer.authorization}`]
}

function absolute(peer: Peer, location: string): string {
  return location.startsWith('http') ? location : `${peer.origin}${location}`
}

async function pushImage(peer: Peer, name: string, tag: string, size: number): Promise<void> {
  const layer = await putBlob(peer, name, randomBytes(size))
  const config = await putBlob(peer, name, Buffer.from(JSON.stringify({ made: randomBytes(8).toString('hex') })))
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', ...config },
    layers: [{ mediaType: 'application/octet-stream', ...layer }],
  }
  const done = await ask(peer, 'PUT', `/v2/${name}/manifests/${tag}`, Buffer.from(JSON.stringify(manifest)), manifest.mediaType)
  if (done.status !== 201) throw new Error(`${peer.name}: manifest ${done.status} ${done.body}`)
}

async function putBlob(peer: Peer, name: string, bytes: Buffer): Promise<{ digest: string; size: number }> {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const begun = await ask(peer, 'POST', `/v2/${name}/blobs/uploads/`)
  const path = absolute(peer, begun.location)
  const done = await ask(peer, 'PUT', `${path}${path.includes('?') ? '&' : '?'}digest=${digest}`, bytes, 'application/octet-stream')
  if (done.status !== 201) throw new Error(`${peer.name}: blob ${done.status} ${done.body}`)
  return { digest, size: bytes.length }
}

async function putTag(peer: Peer, tag: string): Promise<void> {
  const known = tagged.get(peer.name) ?? (await ask(peer, 'GET', '/v2/bench/tagged/manifests/latest')).body
  tagged.set(peer.name, known)
  const done = await ask(peer, 'PUT', `/v2/bench/tagged/manifests/${tag}`, Buffer.from(known), 'application/vnd.oci.image.manifest.v1+json')
  if (done.status !== 201) throw new Error(`${peer.name}: tag ${done.status} ${done.body}`)
}

function ask(
  peer: Peer,
  method: string,
  path: string,
  body?: Buffer,
  type?: string,
): Promise<{ status: number; location: string; body: string }> {
  const headers = {
    accept: 'application/vnd.oci.image.manifest.v1+json',
    'content-length': String(body?.length ?? 0),
    ...(type === undefined ? {} : { 'content-type': type }),
    ...(peer.authorization === undefined ? {} : { authorization: peer.authorization }),
  }
  return new Promise((resolve, reject) => {
    const asked = request(absolute(peer, path), { method, headers, agent }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, location: answer.headers.location ?? '', body: Buffer.concat(chunks).toString('utf8') }),
      )
      answer.on('error', reject)
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

async function startLazaret(): Promise<Peer> {
  const port = await freePort()
  const env = {
    ...process.env,
    LAZARET_DATA: join(folder, 'lazaret'),
    LAZARET_LISTEN: `127.0.0.1:${port}`,
    LAZARET_ADMIN_PASSWORD: password,
    LAZARET_LOG: 'warn',
  }
  // The reader has the grant that a puller of what was just pushed would otherwise wait for the verdict without.
  const child = spawn(join(import.meta.dirname, '..', 'bin', 'lazaret'), ['serve'], {
    env,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const peer = { name: 'Lazaret', origin: `http://127.0.0.1:${port}`, child, authorization: basic }
  await answers(`${peer.origin}/health/ready`)
  await ask(
    peer,
    'POST',
    '/api/v1/users/grants',
    Buffer.from(JSON.stringify({ name: 'admin', grants: ['read-quarantined=bench/**'] })),
    'application/json',
  )
  return peer
}

async function startDistribution(): Promise<Peer> {
  const port = await freePort()
  const config = join(folder, 'distribution.yml')
  await writeFile(
    config,
    `version: 0.1\nlog: { level: error, accesslog: { disabled: true } }\nstorage: { filesystem: { rootdirectory: ${join(folder, 'distribution')} } }\nhttp: { addr: "127.0.0.1:${port}" }\n`,
  )
  const child = spawn(registryProgram(), ['serve', config], { stdio: ['ignore', 'ignore', 'ignore'] })
  const origin = `http://127.0.0.1:${port}`
  await answers(`${origin}/v2/`)
  return { name: 'Distribution', origin, child, authorization: undefined }
}

function registryProgram(): string {
  return (findTools() as Record<string, string | undefined>)['registry'] ?? process.env['DISTRIBUTION_REGISTRY'] ?? 'registry'
}

async function answers(url: string): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    if (
      await fetch(url).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return
    await sleep(10)
  }
  throw new Error(`${url} does not answer`)
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
