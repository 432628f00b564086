// Images that were made to hang, to fill memory or to pass for clean, each scanned by a process of its own with little memory and
// little time: the scan ends, says which layer and which path, and no part that could not be read counts as clean.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { fixture } from './extractors/rpm/databases.testing.ts'
import { imageOf, layoutOf, pointTo, types } from './testing/images.ts'
import { headerOf, sparseTars, summed, tarWith } from './testing/sparse.ts'
import { symlink, tarOf } from './testing/tars.ts'
import { zipOf } from './testing/zips.ts'

const main = join(import.meta.dirname, '../cli/main.ts')
const folder = mkdtempSync(join(tmpdir(), 'lazaret-hostile-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Tells at the end of the process how much it held. */
const tellPeak = `data:text/javascript,process.on("exit",()=>process.stderr.write("\\npeak "+process.resourceUsage().maxRSS+"\\n"))`
const heapMiB = 128
const mostMs = 100_000

interface Scan {
  code: number | null
  out: string
  err: string
  peakMiB: number
}

/** Scans in a process that has a heap of so many MiB, and is killed after `mostMs`. Throws where it was. */
async function scan(name: string, image: Buffer, format = 'json', peakMiB = 300, heap = heapMiB): Promise<Scan> {
  const path = join(folder, `${name.replaceAll(/\W+/g, '-')}.tar`)
  const work = mkdtempSync(join(folder, 'work-'))
  writeFileSync(path, image)
  const before = readdirSync(folder)
  const child = spawn(
    process.execPath,
    [
      `--max-old-space-size=${heap}`,
      '--max-semi-space-size=4',
      '--disable-warning=ExperimentalWarning',
      '--import',
      tellPeak,
      main,
      'scan',
      path,
      '--format',
      format,
    ],
    {
      cwd: work,
      env: { PATH: process.env['PATH'], TMPDIR: work, XDG_CACHE_HOME: join(folder, 'cache'), LAZARET_DATA: join(folder, 'none') },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: mostMs,
      killSignal: 'SIGKILL',
    },
  )
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  assert.equal(signal, null, `${name}: it did not end by itself: ${err.slice(-500)}`)
  assert.deepEqual(readdirSync(work), [], `${name}: files were left`)
  assert.deepEqual(
    readdirSync(folder).filter((left) => !before.includes(left) && left !== 'cache'),
    [],
  )
  rmSync(path)
  rmSync(work, { recursive: true })
  const peak = Number(/\npeak (\d+)\n/.exec(err)?.[1]) / 1024
  assert.ok(peak < peakMiB, `${name}: it held ${Math.round(peak)} MiB`)
  return { code, out, err, peakMiB: peak }
}

/** In: the outcome of a scan in JSON. Out: what was unreadable. */
function unreadableIn({ out }: Scan): string[] {
  const { doubts } = JSON.parse(out) as { doubts: { doubt: string; detail: string }[] }
  return doubts.filter(({ doubt }) => doubt === 'unreadable').map(({ detail }) => detail)
}

async function archiveOf(...layers: Buffer[]): Promise<Buffer> {
  const { manifest, blobs } = imageOf(layers)
  return await tarOf(layoutOf([pointTo(manifest, types.manifest, { platform: { os: 'linux', architecture: 'amd64' } })], blobs))
}

const gib = 1024 ** 3

/** A file's header, and packed zeros that follow it: as many times 64 MiB as are asked for. */
function bomb(name: string, times: number, pack: (bytes: Buffer) => Buffer): Buffer {
  const header = summed(headerOf(name, '0', times * 64 * 1024 * 1024, false))
  return Buffer.concat([pack(header), ...Array<Buffer>(times).fill(pack(Buffer.alloc(64 * 1024 * 1024)))])
}

const fine = tarOf([
  ['etc/os-release', 'ID=debian\nVERSION_ID="12"\n'],
  ['var/lib/dpkg/status', 'Package: a\nStatus: install ok installed\nVersion: 1-1\n\n'],
])

const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`

function nestedJar(levels: number): Buffer {
  let jar = zipOf([['META-INF/maven/a/b/pom.properties', 'groupId=a\nartifactId=b\nversion=1\n']])
  for (let level = 0; level < levels; level++) jar = zipOf([[`level-${level}.jar`, jar, 'stored']])
  return jar
}

/** A layer that can not be read whole, and what must be said of it. */
type Bad = [name: string, make: () => Buffer | Promise<Buffer>, said: RegExp]

const bombs: Bad[] = [
  ['gzip', () => bomb('srv/zeros', 24, (bytes) => gzipSync(bytes)), /a decompression bomb, at "srv\/zeros"$/],
  ['zstd', () => bomb('srv/zeros', 24, (bytes) => zstdCompressSync(bytes)), /a decompression bomb, at "srv\/zeros"$/],
  ...['the old form', '0.0', '0.1', '1.0'].map(
    (form, at): Bad => [`a sparse file of 10 GB, ${form}`, () => sparseTars(10 * gib)[at] as Buffer, /a decompression bomb, at "sparse-/],
  ),
]

const broken: Bad[] = [
  ['xz', () => Buffer.from('fd377a585a000004e6d6b4460200210116000000742fe5a3', 'hex'), /xz-compressed/],
  ['bzip2', () => Buffer.from('425a68393141592653590000000000', 'hex'), /bzip2-compressed/],
  ['gzip within gzip', () => gzipSync(gzipSync(Buffer.alloc(100_000))), /not a readable tar/],
  [
    'a name of 64 KiB with control characters',
    () => tarWith([['path', '\x1b[2J\r\n'.repeat(10_923)]], 'short', ''),
    /more than 4096 bytes: "\\u001b\[2J\\r\\n.* more characters$/,
  ],
  ['a target of 64 KiB', async () => await tarOf([symlink('a', 'b'.repeat(65_536))]), /more than 4096 bytes: "bbb/],
]

/** What is wrong within a layer that is read. */
const parts: Bad[] = [
  ['links in circles', async () => await tarOf([symlink('a', 'b'), symlink('b', 'a'), ['a/x', '1']]), /a\/x: more than 40 symbolic links/],
  [
    'a database of rpm that was cut',
    async () => await tarOf([['var/lib/rpm/rpmdb.sqlite', fixture('harbour.sqlite').subarray(0, 120_000)]]),
    /var\/lib\/rpm\/rpmdb\.sqlite: /,
  ],
  [
    'a jar in a jar, 50 deep',
    async () => await tarOf([['srv/app.jar', nestedJar(50)]]),
    /srv\/app\.jar: .* more than the \d+ that are read/,
  ],
  [
    'JSON 10,000 deep where packages are described',
    async () => await tarOf([['app/x.deps.json', deep(10_000)]]),
    /app\/x\.deps\.json: not a JSON object/,
  ],
]

for (const [what, bad] of Object.entries({ bombs, broken, parts })) {
  test(`${what}: the image is unreadable, each layer is named and the path in it, and the rest is told`, async () => {
    const outcome = await scan(what, await archiveOf(await fine, ...(await Promise.all(bad.map(async ([, make]) => await make())))))
    assert.equal(outcome.code, 1, outcome.err)
    const lines = unreadableIn(outcome)
    for (const [at, [name, , said]] of bad.entries()) {
      const start = what === 'parts' ? 'layer sha256:' : `layer ${at + 2} of ${bad.length + 1}: `
      assert.ok(
        lines.some((line) => line.startsWith(start) && said.test(line)),
        `${name}: ${lines.join(' | ')}`,
      )
    }
    assert.match(outcome.out, /"name": "a"/)
  })
}

test('archives that are bombs as a whole, or JSON without an end, are errors', async () => {
  const whole = await scan(
    'a bomb as a whole',
    bomb('blobs', 24, (bytes) => gzipSync(bytes)),
  )
  assert.deepEqual([whole.code, /decompression bomb/.test(whole.err)], [1, true], whole.err)
  for (const name of ['index.json', 'manifest.json']) {
    const given = await scan(
      name,
      await tarOf([
        ['oci-layout', '{}'],
        [name, `{"manifests":${deep(10_000)}}`],
      ]),
    )
    assert.equal(given.code, 1)
    assert.match(given.err, /^lazaret: /)
  }
})

const controls = /(?!\n)\p{Cc}/u
/** And what turns the direction of writing. */
const onTerminals = /(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/u

test('names with control characters act on no terminal, and leave every form of the output whole', async () => {
  const name = `app/node_modules/\x1b[31m\u202egnp\u2028\r\x07/package.json`
  const image = await archiveOf(await fine, await tarOf([[name, '{']]))
  for (const format of ['table', 'json', 'sarif', 'cyclonedx', 'spdx']) {
    const { out, err } = await scan(format, image, format)
    if (format !== 'table') assert.ok(JSON.parse(out), format)
    assert.doesNotMatch(out + err, format === 'table' ? onTerminals : controls, format)
  }
})

test('an SBOM of a million components is read as far as is read, and says so', async () => {
  const component = '{"type":"library","name":"a","version":"1","purl":"pkg:npm/a@1"},'
  const head = '{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":['
  const sbom = Buffer.from(`${head}${component.repeat(999_999)}${component.slice(0, -1)}]}`)
  const outcome = await scan('a million components', sbom, 'json', 900, 640)
  assert.equal(outcome.code, 1)
  assert.ok(
    unreadableIn(outcome).some((line) => /more than/.test(line)),
    unreadableIn(outcome).join(' | '),
  )
})

test('200,000 files are read with a small heap', async () => {
  const outcome = await scan('many files', await archiveOf(manyFiles(200_000)), 'json', 200)
  assert.match(outcome.out, /no package was found/)
})

function manyFiles(count: number): Buffer {
  const tar = Buffer.alloc(count * 512 + 1024)
  for (let at = 0; at < count; at++) summed(headerOf(`data/${Math.floor(at / 300)}/${at}.txt`, '0', 0, false)).copy(tar, at * 512)
  return gzipSync(tar, { level: 1 })
}
