// `lazaret scan`, `sbom` and `diff` of layers that an earlier run read, and `lazaret cache`.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { chmod, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, beforeEach, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { contentOf, sha256, writeLayout, type Content } from '../../../test/support/content.ts'
import { imageOf } from '../../../test/support/images.ts'
import { scratch } from '../../../test/support/scratch.ts'
import { alpineBase, npmApplication } from '../../../test/support/worlds.ts'
import { importAdvisories } from '../../advisories/import.ts'
import { run } from '../run.ts'

const stack = new AsyncDisposableStack()
let folder = ''
let advisories = ''
let cache = ''
const at = (name: string) => join(folder, name)
const layers = () => join(cache, 'lazaret', 'layers')
after(() => stack.disposeAsync())

const base = alpineBase([{ name: 'libcrypto3', version: '3.0.7-r0', source: 'openssl' }], '3.17.0')
let image: Content

before(async () => {
  folder = await scratch(stack, 'known')
  advisories = at('advisories')
  image = await imageOf([base, npmApplication({ minimist: '1.2.5' })])
  await writeLayout(image, at('layout'), '1')
  await writeLayout(await imageOf([base, npmApplication({ minimist: '1.2.6' })]), at('grown'), '1')
  execFileSync('tar', ['-cf', at('archive.tar'), '-C', at('layout'), '.'])
  cache = advisories
  await lazaret('scan', at('layout'), '--no-cache')
})
/** Each has the advisories laid down, and no layer. */
beforeEach(async () => {
  cache = at(crypto.randomUUID())
  await cp(advisories, cache, { recursive: true })
})

interface Outcome {
  code: number
  out: string
  err: string
}

async function lazaret(...args: string[]): Promise<Outcome> {
  let [out, err] = ['', '']
  const code = await run(args, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    env: { XDG_CACHE_HOME: cache, LAZARET_DATA: at('none'), DOCKER_CONFIG: at('docker') },
    cwd: folder,
    stdin: Readable.from([]),
    columns: undefined,
  })
  return { code, out, err }
}

/** What a scan says, without the time of it. */
async function said(...args: string[]): Promise<{ code: number; result: unknown; err: string }> {
  const { code, out, err } = await lazaret('scan', ...args, '--format', 'json', '--verbose')
  const result = JSON.parse(out) as { examinedAt: string }
  return { code, result: { ...result, examinedAt: '' }, err }
}

const all = 'lazaret: known from before: all its layers (2)\n'

async function entries(): Promise<string[]> {
  return await readdir(layers()).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
}

describe('a known image', () => {
  for (const form of ['layout', 'archive.tar'])
    test(`says the same the second time, and the same as one that is read anew: ${form}`, async () => {
      const first = await said(at(form))
      const second = await said(at(form))
      assert.deepEqual([first.err, second.err], ['', all])
      assert.deepEqual(second.result, first.result)
      const anew = await said(at(form), '--no-cache')
      assert.deepEqual([anew.result, anew.err], [first.result, ''])
      for (const format of ['table', 'sarif', 'spdx']) {
        const plain = (text: string) => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '')
        const [known, read] = [
          await lazaret('scan', at(form), '--format', format),
          await lazaret('scan', at(form), '--format', format, '--no-cache'),
        ]
        assert.equal(plain(known.out), plain(read.out), format)
      }
    })

  test('is known whatever holds it: a layout, and an archive of it', async () => {
    assert.equal((await said(at('layout'))).err, '')
    assert.equal((await said(at('archive.tar'))).err, all)
  })

  test('of another the layers that both have are known, and only these', async () => {
    await said(at('layout'))
    const grown = await said(at('grown'))
    assert.equal(grown.err, 'lazaret: known from before: layer 1\n')
    assert.deepEqual(grown.result, (await said(at('grown'), '--no-cache')).result)
    assert.equal((await said(at('grown'))).err, all)
  })

  test('serves sbom and diff', async () => {
    await said(at('layout'))
    const bom = await lazaret('sbom', at('layout'), '--verbose')
    assert.equal(bom.err, all)
    const diff = (...more: string[]) => lazaret('diff', at('layout'), at('grown'), '--format', 'json', ...more)
    const known = await diff('--verbose')
    assert.match(
      known.err,
      /^lazaret: known from before: layer 1\nlazaret: known from before: layer 2\nlazaret: known from before: layer 1\n$/,
    )
    assert.equal(known.out, (await diff('--no-cache')).out)
  })

  test('four runs at once end alike', async () => {
    const runs = await Promise.all([1, 2, 3, 4].map(() => said(at('layout'))))
    for (const { code, result } of runs) assert.deepEqual([code, result], [0, runs[0]?.result])
    assert.equal((await said(at('layout'))).err, all)
    assert.deepEqual(
      (await entries()).filter((name) => name.startsWith('.')),
      [],
    )
  })
})

test('newer advisories judge a known image anew', async () => {
  const first = await lazaret('scan', at('layout'), '--format', 'json')
  const flaw = { schema_version: '1.7.0', id: 'GHSA-aaaa-bbbb-cccc', modified: '2026-11-24T00:00:00Z', summary: 'a flaw' }
  const affected = [{ package: { ecosystem: 'npm', name: 'minimist' }, versions: ['1.2.5'] }]
  await writeFile(at('own.json'), JSON.stringify({ ...flaw, affected }))
  await importAdvisories([at('own.json')], join(cache, 'lazaret'))
  const second = await lazaret('scan', at('layout'), '--format', 'json', '--verbose')
  assert.equal(second.err, all)
  const ids = ({ out }: Outcome) => (JSON.parse(out) as { findings: { id: string }[] }).findings.map(({ id }) => id)
  assert.ok(!ids(first).includes(flaw.id) && ids(second).includes(flaw.id))
  assert.deepEqual(ids(second), ids(await lazaret('scan', at('layout'), '--format', 'json', '--no-cache')))
})

describe('bytes prove the name', () => {
  const blobOf = (place: string, layer: number) => {
    const manifest = JSON.parse(image.manifests.get(image.root.digest)?.bytes.toString() ?? '') as { layers: { digest: string }[] }
    return join(place, 'blobs', 'sha256', manifest.layers[layer]?.digest.slice('sha256:'.length) ?? '')
  }

  /** RFC 1952: it says nothing of the content, so that the tar inside stays as it was. */
  const osOfGzip = 9

  test('a blob of a layout that was changed in place is unreadable, not what it was', async () => {
    await cp(at('layout'), at('changed'), { recursive: true })
    await said(at('changed'))
    const bytes = await readFile(blobOf(at('changed'), 1))
    bytes[osOfGzip] = (bytes[osOfGzip] ?? 0) ^ 1
    await writeFile(blobOf(at('changed'), 1), bytes)
    const { code, out, err } = await lazaret('scan', at('changed'), '--verbose')
    assert.equal(code, 1)
    assert.match(out, /layer 2 of 2: what is stored as\s+sha256:[0-9a-f]{64}\s+is\s+sha256:/)
    assert.equal(err, 'lazaret: known from before: layer 1\n')
    execFileSync('tar', ['-cf', at('changed.tar'), '-C', at('changed'), '.'])
    assert.equal((await lazaret('scan', at('changed.tar'))).code, 1)
  })

  test('an archive whose config claims the layers of a known image holds what it holds', async () => {
    await said(at('layout'))
    const place = at('claims')
    await mkdir(place, { recursive: true })
    const config = JSON.parse(image.blobs.get(configOf(image))?.toString() ?? '') as object
    await writeFile(join(place, 'config.json'), JSON.stringify(config))
    const other = await imageOf([npmApplication({ minimist: '1.2.6' }), npmApplication({ jquery: '3.4.1' })])
    const names = await Promise.all(
      layersOf(other).map(async (digest, layer) => {
        await writeFile(join(place, `${layer}.tar.gz`), other.blobs.get(digest) ?? '')
        return `${layer}.tar.gz`
      }),
    )
    await writeFile(join(place, 'manifest.json'), JSON.stringify([{ Config: 'config.json', RepoTags: null, Layers: names }]))
    execFileSync('tar', ['-cf', at('claims.tar'), '-C', place, 'manifest.json', 'config.json', ...names])
    const { out, err } = await lazaret('scan', at('claims.tar'), '--format', 'json', '--verbose')
    assert.deepEqual(
      (JSON.parse(out) as { packages: { name: string; version: string }[] }).packages.map(({ name, version }) => `${name} ${version}`),
      ['minimist 1.2.6', 'jquery 3.4.1'],
    )
    assert.equal(err, '')
    assert.equal((await lazaret('scan', at('claims.tar'), '--verbose', '--format', 'json')).err, all)
  })

  test('what can not be read whole is not kept, and is unreadable again', async () => {
    const config = Buffer.from(
      JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [sha256(Buffer.from('x'))] } }),
    )
    const garbage = Buffer.from('this is no tar')
    const type = 'application/vnd.oci.image.manifest.v1+json'
    const descriptor = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: sha256(bytes), size: bytes.length })
    const manifest = {
      schemaVersion: 2,
      mediaType: type,
      config: descriptor('application/vnd.oci.image.config.v1+json', config),
      layers: [descriptor('application/vnd.oci.image.layer.v1.tar', garbage)],
    }
    await writeLayout(contentOf(manifest, [config, garbage]), at('garbage'), '1')
    for (let turn = 0; turn < 2; turn++) assert.equal((await lazaret('scan', at('garbage'))).code, 1)
    assert.deepEqual(await entries(), [])
  })
})

function layersOf({ manifests, root }: Content): string[] {
  const { layers: listed } = JSON.parse(manifests.get(root.digest)?.bytes.toString() ?? '') as { layers: { digest: string }[] }
  return listed.map(({ digest }) => digest)
}

function configOf({ manifests, root }: Content): string {
  return (JSON.parse(manifests.get(root.digest)?.bytes.toString() ?? '') as { config: { digest: string } }).config.digest
}

describe('what is kept', () => {
  test('and is damaged is read again, told to who looks closer, and mended', async () => {
    const { result } = await said(at('layout'))
    const names = await entries()
    assert.ok(names.length >= 4, names.join())
    for (const name of names) {
      const bytes = await readFile(join(layers(), name))
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 255
      await writeFile(join(layers(), name), bytes)
    }
    const again = await said(at('layout'))
    assert.deepEqual(again.result, result)
    assert.match(again.err, /blob-sha256-[0-9a-f]{64} is damaged: it counts as not there, and is removed/)
    assert.doesNotMatch(again.err, /known from before/)
    assert.equal((await said(at('layout'))).err, all)
  })

  test('is nothing with --no-cache, which uses nothing either', async () => {
    await said(at('layout'), '--no-cache')
    assert.deepEqual(await entries(), [])
    await said(at('layout'))
    assert.equal((await said(at('layout'), '--no-cache')).err, '')
  })

  test('is the user’s alone; where the folder can not be used, that is said once and the scan goes on', async () => {
    await said(at('layout'))
    assert.equal((await stat(layers())).mode & 0o777, 0o700)
    await chmod(layers(), 0o777)
    const others = await lazaret('scan', at('layout'))
    assert.deepEqual([others.code, others.err], [0, `lazaret: what is known of layers is not used: others may write to ${layers()}\n`])
    await rm(layers(), { recursive: true })
    await writeFile(layers(), '')
    const diff = await lazaret('diff', at('layout'), at('grown'))
    assert.deepEqual([diff.code, diff.err], [0, `lazaret: what is known of layers is not used: ${layers()} is no folder\n`])
    assert.equal((await lazaret('scan', at('layout'), '--quiet')).err, '')
  })

  test('is shown and removed by lazaret cache', async () => {
    assert.match((await lazaret('cache', 'status')).out, /^FOLDER +ENTRIES +SIZE\n.* +0 +0 B$/m)
    await said(at('layout'))
    const { out } = await lazaret('cache', 'status', '--format', 'json')
    const status = JSON.parse(out) as { folder: string; entries: number; sizeBytes: number }
    assert.deepEqual([status.folder, status.entries], [layers(), (await entries()).length])
    const cleared = await lazaret('cache', 'clear')
    assert.deepEqual([cleared.code, cleared.out.startsWith(`removed ${status.entries} entries, `)], [0, true])
    assert.deepEqual(await entries(), [])
    assert.equal((await said(at('layout'))).err, '')
    assert.equal((await lazaret('cache')).code, 2)
    assert.equal((await lazaret('cache', 'clear', 'all')).code, 2)
  })
})

test('a scan of a known image loads nothing that reads layers, judges, or serves', async () => {
  await said(at('layout'))
  const hook = `import { registerHooks } from 'node:module'
    const seen = []
    registerHooks({ load: (url, context, next) => (seen.push(url), next(url, context)) })
    process.once('exit', () => process.stderr.write(seen.join('\\n')))`
  const main = join(import.meta.dirname, '..', 'main.ts')
  const env = { ...process.env, XDG_CACHE_HOME: cache, LAZARET_DATA: at('none'), CI: '1' }
  const args = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, main, 'scan', at('layout'), '--quiet']
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env, cwd: folder })
  assert.match(stdout, /CVE-2021-44906/)
  const loaded = stderr.split('\n')
  assert.ok(
    loaded.some((url) => url.endsWith('/src/flow/scan.ts')),
    stderr,
  )
  const waste =
    /\/(fastify|kysely|pg|yaml|jose|packageurl-js|ae-cvss-calculator)\/|\/src\/(serve|store|inventory\/(extractors|squash|walk)|match\/match|mirror)\b/
  assert.deepEqual(
    loaded.filter((url) => waste.test(url)),
    [],
  )
})
