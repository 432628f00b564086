// How fast a layer is read, beside programs that do less: gunzip (only decompresses), tar -t (lists), tar-stream with
// a SHA-256 per file. In: paths of layers, gzip or plain; without one, a layer made of this machine's /usr/lib.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import tar from 'tar-stream'
import { readLayer } from '../src/inventory/layer.ts'

const rounds = 5
const folder = mkdtempSync(join(tmpdir(), 'lazaret-bench-'))
try {
  for (const path of process.argv.length > 2 ? process.argv.slice(2) : [makeLayer()]) await benchLayer(path)
} finally {
  rmSync(folder, { recursive: true })
}

async function benchLayer(path: string): Promise<void> {
  const facts = await readLayer(createReadStream(path), { reopen: () => createReadStream(path) })
  const [stored, plain] = [statSync(path).size, facts.sizeBytes]
  console.log(
    `${path}: ${mb(stored)} MB stored, ${mb(plain)} MB tar, ${facts.files.length} files, ${facts.packages.length} packages, ${facts.problems.length} problems`,
  )
  const isGzip = path.endsWith('gz')
  await report('readLayer', plain, () =>
    readLayer(createReadStream(path, { highWaterMark: 256 * 1024 }), { reopen: () => createReadStream(path) }),
  )
  await report('tar-stream with SHA-256', plain, () => walkWithTarStream(path, isGzip))
  if (isGzip) await report('gunzip -t', plain, async () => execFileSync('gunzip', ['-t', path]))
  await report('tar -t', plain, async () => execFileSync('tar', [isGzip ? '-tzf' : '-tf', path], { maxBuffer: 1e9 }))
}

async function report(name: string, bytes: number, run: () => Promise<unknown>): Promise<void> {
  const rows: { wall: number; cpu: number }[] = []
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    const before = process.cpuUsage()
    await run()
    const { user, system } = process.cpuUsage(before)
    rows.push({ wall: performance.now() - start, cpu: (user + system) / 1000 })
  }
  const { wall, cpu } = rows.sort((a, b) => a.wall - b.wall)[Math.floor(rounds / 2)] ?? { wall: 0, cpu: 0 }
  console.log(
    `  ${name.padEnd(26)} ${wall.toFixed(0).padStart(6)} ms  ${(bytes / 1e3 / wall).toFixed(0).padStart(5)} MB/s  ${cpu.toFixed(0).padStart(6)} ms of CPU here   (median of ${rounds})`,
  )
}

async function walkWithTarStream(path: string, isGzip: boolean): Promise<void> {
  const extract = tar.extract()
  const whole = createHash('sha256')
  extract.on('entry', (_header, stream, next) => {
    const hash = createHash('sha256')
    stream.on('data', (chunk) => void hash.update(chunk as Buffer))
    stream.on('end', () => (hash.digest('hex'), next()))
  })
  const source = createReadStream(path, { highWaterMark: 256 * 1024 })
  const plain = isGzip ? source.pipe(createGunzip({ chunkSize: 256 * 1024 })) : source
  plain.on('data', (chunk: Buffer) => whole.update(chunk))
  await pipeline(plain, extract)
}

function makeLayer(): string {
  const path = join(folder, 'layer.tar.gz')
  execFileSync('sh', [
    '-c',
    `{ find /usr/lib /usr/share -xdev -type f -size -4096k 2>/dev/null | head -n 12000; echo /var/lib/dpkg/status; } | tar -cf - -T - 2>/dev/null | head -c 120000000 | { cat; head -c 1024 /dev/zero; } | gzip -6 > ${path}`,
  ])
  return path
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}
