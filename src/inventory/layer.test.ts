import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { createGzip, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { LazaretError } from '../kit/errors.ts'
import { readLayer } from './layer.ts'
import { factsOf, hardLink, layerOf, pathsOf, symlink, tarOf } from './testing/tars.ts'
import type { Member } from './testing/tars.ts'

const status = 'Package: tar\nStatus: install ok installed\nVersion: 1.34\nArchitecture: amd64\n\n'

test('files are kept with type, mode, owner, time, link, size and hash', async () => {
  const facts = await layerOf([
    { name: './usr/', mode: 0o755, uid: 1, gid: 2, mtime: new Date(1_700_000_000_000) },
    [{ name: './usr/sudo', mode: 0o4755 }, 'hello'],
    symlink('bin', 'usr/bin'),
    { name: 'dev/null', type: 'character-device', devmajor: 1, devminor: 3 },
    { name: 'run/pipe', type: 'fifo' },
  ])
  const [usr, sudo, bin, device, pipe] = facts.files
  assert.deepEqual(usr, { path: 'usr', type: 'directory', mode: 0o755, uid: 1, gid: 2, sizeBytes: 0, mtime: 1_700_000_000 })
  assert.equal(sudo?.sha256, createHash('sha256').update('hello').digest('hex'))
  assert.deepEqual([sudo?.mode, sudo?.sizeBytes], [0o4755, 5])
  assert.deepEqual([bin?.type, bin?.link], ['symlink', 'usr/bin'])
  assert.deepEqual([device?.type, pipe?.type], ['character', 'fifo'])
})

test('the diffID is of the tar, however it was compressed', async () => {
  const tar = await tarOf([['a', 'x'.repeat(10_000)]])
  const diffId = `sha256:${createHash('sha256').update(tar).digest('hex')}`
  for (const stored of [
    tar,
    gzipSync(tar),
    zstdCompressSync(tar),
    Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]),
  ]) {
    const facts = await factsOf(stored)
    assert.deepEqual([facts.diffId, facts.sizeBytes, pathsOf(facts)], [diffId, tar.length, ['a']])
  }
})

test('nothing at all, and a tar of nothing, are layers', async () => {
  const empty = await factsOf(Buffer.alloc(0))
  assert.deepEqual([[...empty.files], empty.sizeBytes, empty.problems], [[], 0, []])
  assert.deepEqual([...(await factsOf(gzipSync(Buffer.alloc(1024)))).files], [])
})

test('no path leads out of the root', async () => {
  const facts = await layerOf([
    ['/etc/passwd', ''],
    ['../../etc/shadow', ''],
    ['a/../../b/./c//d', ''],
    { name: '/', type: 'directory' },
    hardLink('l', '/../../etc/passwd'),
  ])
  assert.deepEqual(pathsOf(facts), ['etc/passwd', 'etc/shadow', 'b/c/d', 'l'])
  assert.equal([...facts.files][3]?.link, 'etc/passwd')
})

test('a parent that is a link is followed inside the root', async () => {
  const facts = await layerOf([
    symlink('lib', '/usr/lib'),
    symlink('usr/lib', '../../../opt'),
    ['lib/a', ''],
    ['usr/lib/b', ''],
    ['lib/.wh.gone', ''],
  ])
  assert.deepEqual(pathsOf(facts), ['lib', 'usr/lib', 'opt/a', 'opt/b'])
  assert.deepEqual(facts.whiteouts, ['opt/gone'])
})

test('a package database below a link is found where it really lies', async () => {
  const facts = await layerOf([
    symlink('var/lib', '../srv/lib'),
    symlink('srv/lib', '../var/real'),
    symlink('var/real', 'lib2'),
    'var/lib2/',
    ['var/lib/dpkg/status', status],
  ])
  assert.deepEqual(pathsOf(facts).at(-1), 'var/lib2/dpkg/status')
  assert.deepEqual((await layerOf([symlink('data', 'var/lib'), ['data/dpkg/status', status]])).packages[0]?.location, 'var/lib/dpkg/status')
})

test('links that go in circles are a problem', async () => {
  const facts = await layerOf([symlink('a', 'b'), symlink('b', 'a'), ['a/file', '']])
  assert.match(facts.problems[0] ?? '', /a\/file: more than 40 symbolic links/)
})

test('a later entry takes the place of an earlier one, with all below it', async () => {
  const facts = await layerOf([['a/b/c', '1'], ['keep', ''], ['a', 'file'], ['d', 'x'], 'd/', ['d/e', ''], ['keep', 'twice']])
  assert.deepEqual(pathsOf(facts), ['a', 'd', 'd/e', 'keep'])
  assert.equal([...facts.files].find(({ path }) => path === 'keep')?.sizeBytes, 5)
})

test('a database that is replaced within its layer has the last word, and one below a replaced folder has none', async () => {
  const second = status.replace('1.34', '1.35')
  const twice = await layerOf([
    ['var/lib/dpkg/status', status],
    ['var/lib/dpkg/status', second],
  ])
  assert.deepEqual(
    twice.packages.map((found) => found.package.version),
    ['1.35'],
  )
  const cut = await layerOf([
    ['var/lib/dpkg/status', status],
    ['var/lib', 'now a file'],
  ])
  assert.deepEqual(cut.packages, [])
})

test('a file below a file is a problem, as no runtime can create it', async () => {
  const facts = await layerOf([
    ['a', ''],
    ['a/b', ''],
  ])
  assert.match(facts.problems[0] ?? '', /a\/b: lies below a, which is no folder/)
  assert.deepEqual(pathsOf(facts), ['a'])
})

test('whiteouts: one file, an opaque folder, AUFS names, and names that are refused', async () => {
  const facts = await layerOf([
    ['etc/.wh.passwd', ''],
    ['var/.wh..wh..opq', ''],
    ['.wh..wh.plnk', ''],
    ['x/.wh...', ''],
    ['.wh.dir', ''],
  ])
  assert.deepEqual(facts.whiteouts, ['etc/passwd', 'dir'])
  assert.deepEqual(facts.opaque, ['var'])
  assert.deepEqual([...facts.files], [])
  assert.deepEqual(facts.problems, ['x/.wh...: is no valid name for a whiteout'])
})

test('a database that is a hard link is read, at a second reading', async () => {
  const members: Member[] = [
    ['a/first', status],
    hardLink('a/second', 'a/first'),
    ['a/first', 'other'],
    hardLink('var/lib/dpkg/status', './a/second'),
  ]
  const tar = await tarOf(members)
  const facts = await factsOf(gzipSync(tar))
  assert.deepEqual(
    facts.packages.map((found) => [found.location, found.package.name]),
    [['var/lib/dpkg/status', 'tar']],
  )
  assert.equal([...facts.files].at(-1)?.sha256, createHash('sha256').update(status).digest('hex'))
  const once = await readLayer(Readable.from([tar]))
  assert.deepEqual(
    [once.packages, once.problems],
    [[], ['var/lib/dpkg/status: is a hard link, and the layer can not be read a second time']],
  )
  const changed = await readLayer(Readable.from([tar]), { reopen: () => Readable.from([Buffer.alloc(1024)]) })
  assert.match(changed.problems[0] ?? '', /not there at the second reading/)
  assert.match(
    (await layerOf([hardLink('var/lib/dpkg/status', 'elsewhere')])).problems[0] ?? '',
    /hard link to elsewhere, which this layer does not hold/,
  )
})

test('an unknown type of entry is a problem', async () => {
  const tar = await tarOf([['a', '']])
  tar[156] = 0x56
  withChecksum(tar)
  assert.deepEqual((await factsOf(tar)).problems, ['a: is an entry of the unknown type "V"'])
})

const limited: [string, Parameters<typeof readLayer>[1], () => Promise<Buffer>, RegExp][] = [
  [
    'too many bytes',
    { limits: { uncompressedBytes: 5000 } },
    async () => gzipSync(await tarOf([['a', 'x'.repeat(6000)]])),
    /unpacks to more than 5000 bytes/,
  ],
  [
    'a bomb',
    { limits: { ratioFreeBytes: 1_000_000 } },
    async () => gzipSync(await tarOf([['a', Buffer.alloc(3_000_000)]])),
    /decompression bomb/,
  ],
  ['a sparse bomb', { limits: { ratioFreeBytes: 1_000_000 } }, async () => sparseBomb(2 ** 40), /decompression bomb/],
  ['too many entries', { limits: { entries: 2 } }, async () => await tarOf(['a', 'b', 'c']), /more than 2 entries/],
  ['too long a path', {}, async () => await tarOf(['a'.repeat(5000)]), /more than 4096 bytes/],
  ['too long a target', {}, async () => await tarOf([symlink('a', 'b'.repeat(5000))]), /more than 4096 bytes/],
  [
    'too many bytes of names',
    { limits: { nameBytes: 100 } },
    async () => await tarOf(['a'.repeat(60), 'b'.repeat(60)]),
    /names of more than 100 bytes, at "b/,
  ],
  [
    'too many bytes of whiteouts',
    { limits: { nameBytes: 100 } },
    async () => await tarOf([`.wh.${'a'.repeat(60)}`, `.wh.${'b'.repeat(60)}`]),
    /names of more than 100 bytes/,
  ],
  ['too deep a path', {}, async () => await tarOf(['a/'.repeat(1500)]), /more than 1024 folders deep/],
  [
    'too many packages',
    { limits: { packages: 3 } },
    async () => await tarOf([['var/lib/dpkg/status', status.repeat(4)]]),
    /more than 3 packages/,
  ],
  [
    'too many owned files',
    { limits: { ownedFiles: 3 } },
    async () => await tarOf([['var/lib/dpkg/info/a.list', '/a\n'.repeat(4)]]),
    /more than 3 owned files/,
  ],
]

for (const [name, options, make, message] of limited) {
  test(`${name}: the layer is refused`, async () => {
    const stored = await make()
    const source = Readable.from([stored])
    await assert.rejects(readLayer(source, options), { code: 'LIMIT_EXCEEDED', message })
    assert.ok(source.destroyed)
  })
}

test('a database that is too large is a problem, not a silence', async () => {
  const facts = await layerOf([['usr/lib/ruby/gems/3.1.0/specifications/a-1.gemspec', Buffer.alloc(5 * 1024 * 1024, ' ')]])
  assert.match(facts.problems[0] ?? '', /gemspec: has 5242880 bytes, more than the 4194304 that gem reads/)
})

test('problems are kept up to a number, and counted after it', async () => {
  const many = Array.from({ length: 10 }, (_, at): [string, string] => [`node_modules/p${at}/package.json`, '{'])
  const { problems } = await layerOf(many, { limits: { problems: 3 } })
  assert.equal(problems.length, 4)
  assert.equal(problems[3], 'and 7 more')
})

const unreadable: [string, Buffer | (() => Promise<Buffer>), RegExp][] = [
  ['a text', Buffer.from('this is no archive'), /cut short inside a block, at byte 18/],
  ['a long text', Buffer.from('this is no archive. '.repeat(100)), /checksum of a header|not octal/],
  ['JSON', Buffer.from(`{"_type":"https://in-toto.io/Statement/v1","x":"${'y'.repeat(600)}"}`), /not a readable tar/],
  [
    'a tar cut short in a file',
    async () => (await tarOf([['some/file', 'x'.repeat(2000)]])).subarray(0, 1200),
    /cut short inside a file, at byte 1200, entry "some\/file"/,
  ],
  ['a gzip cut short', async () => gzipSync(await tarOf([['a', 'x'.repeat(2000)]])).subarray(0, -4), /gzip data is corrupt or cut short/],
  [
    'a damaged header',
    async () =>
      flipped(
        await tarOf([
          ['a', ''],
          ['b', ''],
        ]),
        520,
      ),
    /checksum of a header is wrong, at byte 512/,
  ],
]

for (const [name, bytes, message] of unreadable) {
  test(`${name} is UNREADABLE, and says where`, async () => {
    await assert.rejects(factsOf(typeof bytes === 'function' ? await bytes() : bytes), { code: 'UNREADABLE', message })
  })
}

test('a signal stops the reading of a source that never ends', async () => {
  const endless = () =>
    Readable.from(
      (async function* () {
        for (;;) {
          yield Buffer.alloc(512 * 100, await tarOf(['a']).then((tar) => tar.subarray(0, 512)))
          await new Promise(setImmediate)
        }
      })(),
    )
  await assert.rejects(readLayer(endless(), { signal: AbortSignal.timeout(50) }), { code: 'TIMED_OUT' })
  await assert.rejects(readLayer(endless().pipe(createGzip()), { signal: AbortSignal.timeout(50) }), { code: 'TIMED_OUT' })
  await assert.rejects(readLayer(endless(), { signal: AbortSignal.abort(new Error('shutting down')) }), {
    code: 'UNAVAILABLE',
    message: /shutting down/,
  })
})

test('a signal stops an extractor that finds too much', async () => {
  const tar = await tarOf([['var/lib/dpkg/status', status.repeat(300_000)]])
  await assert.rejects(readLayer(Readable.from([tar]), { signal: AbortSignal.timeout(30) }), { code: 'TIMED_OUT' })
})

test('what an extractor throws is a problem of its file', async () => {
  const broken = {
    name: 'broken',
    version: 1,
    maxBytes: 10,
    wants: () => true,
    extract: () => {
      throw new Error('no\nsense')
    },
  }
  assert.deepEqual((await layerOf(['a'], { extractors: [broken] })).problems, ['a: broken: no sense'])
})

test('what lies below a file that took the place of a folder can not be there', async () => {
  const { files, problems } = await layerOf(['a/c/', 'a', 'a/c/a'])
  assert.deepEqual(
    [...files].map(({ path }) => path),
    ['a'],
  )
  assert.deepEqual(problems, ['a/c/a: lies below a, which is no folder'])
})

test('200,000 entries are read in seconds', async () => {
  const header = (await tarOf(['x'])).subarray(0, 512)
  const tar = Buffer.alloc(200_000 * 512)
  for (let at = 0; at < 200_000; at++) {
    header.fill(0, 0, 100).write(`usr/share/d${at % 500}/f${String(at).padStart(6, '0')}`)
    withChecksum(header).copy(tar, at * 512)
  }
  const start = performance.now()
  const facts = await factsOf(tar)
  assert.equal(facts.files.length, 200_000)
  assert.ok(performance.now() - start < 60_000)
})

test('replacing a folder again and again costs no more than it should', async () => {
  const members = Array.from({ length: 5000 }, (_, at) => [`a/b/f${at}`, symlink('a/b', '../c'), 'a/b/', `a/b/g${at}`]).flat()
  const start = performance.now()
  assert.deepEqual(
    pathsOf(await layerOf(members)).filter((path) => path.startsWith('a/b/')),
    ['a/b/g4999'],
  )
  assert.ok(performance.now() - start < 60_000)
})

test('mutated layers give facts or a LazaretError', async () => {
  const tar = await tarOf([
    ['var/lib/dpkg/status', status],
    ['lib/apk/db/installed', 'P:a\nV:1\n\n'],
    symlink('lib64', 'lib'),
    hardLink('b', 'var/lib/dpkg/status'),
    ['x/.wh.y', ''],
    ['node_modules/a/package.json', '{"name":"a","version":"1"}'],
  ])
  const sources = [tar, gzipSync(tar), zstdCompressSync(tar)]
  await fc.assert(
    fc.asyncProperty(
      fc.nat(2),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
      fc.option(fc.nat()),
      async (which, changes, cut) => {
        const bytes = Buffer.from(sources[which] as Buffer)
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        try {
          await factsOf(cut === null ? bytes : bytes.subarray(0, cut % bytes.length))
        } catch (error) {
          assert.ok(error instanceof LazaretError, String(error))
        }
      },
    ),
    { numRuns: 300 },
  )
})

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ 0x20
  return bytes
}

/** A PAX 1.0 sparse file of no stored bytes at all. */
async function sparseBomb(sizeBytes: number): Promise<Buffer> {
  const pax = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'bomb', 'GNU.sparse.realsize': String(sizeBytes) }
  const map = Buffer.alloc(512)
  map.write('0\n')
  const tar = await tarOf([['GNUSparseFile', map]])
  const records = Object.entries(pax).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`
    return `${rest.length + 2}${rest}`
  })
  const paxTar = await tarOf([['PaxHeaders', records.join('')]])
  paxTar[156] = 0x78
  return Buffer.concat([withChecksum(paxTar).subarray(0, 1024), tar])
}

/** Puts the first header right after a change to it. */
function withChecksum(tar: Buffer): Buffer {
  tar.fill(' ', 148, 156)
  let sum = 0
  for (let at = 0; at < 512; at++) sum += tar[at] ?? 0
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return tar
}
