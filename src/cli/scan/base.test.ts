// `lazaret scan --base`, over images that lie on this machine.
import assert from 'node:assert/strict'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { contentOf, descriptorOf, writeLayout } from '../../../test/support/content.ts'
import { imageOf, imageOfLayers } from '../../../test/support/images.ts'
import { layerOf } from '../../../test/support/layers.ts'
import { scratch } from '../../../test/support/scratch.ts'
import { alpineBase, npmApplication } from '../../../test/support/worlds.ts'
import { mediaTypes } from '../../model/manifest.ts'
import { run } from '../run.ts'

const stack = new AsyncDisposableStack()
const home = process.cwd()
after(async () => {
  process.chdir(home)
  await stack.disposeAsync()
})
let folder = ''
const at = (name: string) => join(folder, name)
const alpine = alpineBase([{ name: 'libcrypto3', version: '3.0.7-r0', source: 'openssl' }], '3.17.0')
const runtime = npmApplication({ minimist: '1.2.5' })
const application = { 'srv/node_modules/jquery/package.json': JSON.stringify({ name: 'jquery', version: '3.4.1' }) }
/** What the base has too, in a second place. */
const again = { 'srv/node_modules/minimist/package.json': JSON.stringify({ name: 'minimist', version: '1.2.5' }) }
const label = 'org.opencontainers.image.base.name'

before(async () => {
  folder = await scratch(stack, 'base')
  process.chdir(folder) // images are named as people do
  await writeLayout(await imageOf([alpine, runtime, application]), at('app'), '1')
  await writeLayout(await imageOf([alpine, runtime], { packing: 'zstd' }), at('runtime'), '1')
  await writeLayout(await imageOf([alpine, application]), at('other'), '1')
  await writeLayout(await imageOf([alpine, runtime, application, { 'etc/more': '1' }]), at('above'), '1')
  await writeLayout(await imageOf([alpine, runtime, { ...application, ...again }]), at('twice'), '1')
  const claims = { annotations: { [label]: 'registry.example/base:1\u001B[2J' } }
  await writeLayout(await imageOf([alpine, runtime, application], claims), at('claiming'), '1')
  await writeLayout(await imageOf([alpine, runtime, application], { config: { Labels: { [label]: 'by-label' } } }), at('labelled'), '1')
  await mkdir(at('rootfs/etc'), { recursive: true })
  await writeFile(at('rootfs/etc/os-release'), 'ID=alpine\n')
  await cp(at('runtime'), at('copy'), { recursive: true })
})

async function scan(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const code = await run(['scan', ...args], {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    env: { XDG_CACHE_HOME: at('cache'), LAZARET_DATA: at('none'), DOCKER_CONFIG: at('docker'), LAZARET_OFFLINE: 'true' },
    cwd: folder,
    stdin: Readable.from([]),
    columns: undefined,
  })
  return { code, out, err }
}

interface Json {
  base: { known: string; layers?: number; names?: string[]; digest?: string; why?: string; claim?: object }
  findings: { packageName: string; inBase: boolean | string }[]
  remedies: { what: string; isBase?: true; fixes: number }[]
}

async function json(...args: string[]): Promise<Json> {
  const { code, out, err } = await scan(...args, '--format', 'json')
  assert.equal(code, 0, err)
  return JSON.parse(out) as Json
}

const inBase = ({ findings }: Json) => [...new Set(findings.map((one) => `${one.packageName} ${one.inBase}`))].toSorted()

test('its layers are the lowest: each finding says whether the base has it, however either is packed', async () => {
  const found = await json('app', '--base', 'runtime')
  assert.deepEqual([found.base.known, found.base.layers, found.base.names], ['declared', 2, ['runtime']])
  assert.match(found.base.digest ?? '', /^sha256:/)
  assert.deepEqual(inBase(found), ['jquery false', 'minimist true', 'openssl true'])
  const newer = found.remedies.filter((remedy) => remedy.isBase)
  assert.deepEqual(
    newer.map(({ what }) => what),
    ['build on a newer runtime (layers 1 to 2)'],
  )
  assert.equal(newer[0]?.fixes, found.findings.filter((one) => one.inBase === true).length)
})

test('what is in a layer above as well was in the base, and no newer base takes it away', async () => {
  const found = await json('twice', '--base', 'runtime')
  assert.deepEqual(inBase(found), ['jquery false', 'minimist true', 'openssl true'])
  const openssl = found.findings.filter((one) => one.packageName === 'openssl').length
  assert.equal(found.remedies.find((remedy) => remedy.isBase)?.fixes, openssl)
})

test('the table says it in its head, a column and the remedies', async () => {
  const { out } = await scan('app', '--base', 'runtime')
  assert.match(out, /^Built on runtime \(its lowest 2 layers\)$/m)
  assert.match(out, /^The base had \d+ of \d+ findings already$/m)
  assert.match(out, /^SEVERITY .* LAYER +IN BASE$/m)
  assert.match(out, /minimist +1\.2\.5 .* 2 +yes$/m)
  assert.match(out, /jquery +3\.4\.1 .* 3 *$/m)
  assert.match(out, /build on a newer runtime \(layers 1 to 2\) fixes \d+/)
  assert.doesNotMatch((await scan('app')).out, /IN BASE|Built on/)
})

test('SARIF and CycloneDX have it as properties', async () => {
  const sarif = JSON.parse((await scan('app', '--base', 'runtime', '--format', 'sarif')).out) as {
    runs: { properties: { base: { layers: number } }; results: { message: { text: string }; properties: { inBase: boolean } }[] }[]
  }
  assert.equal(sarif.runs[0]?.properties.base.layers, 2)
  for (const { message, properties } of sarif.runs[0]?.results ?? assert.fail())
    assert.equal(properties.inBase, !message.text.includes('jquery'), message.text)
  const bom = JSON.parse((await scan('app', '--base', 'runtime', '--format', 'cyclonedx')).out) as {
    metadata: { properties: { name: string; value: string }[] }
    vulnerabilities: { properties: { name: string; value: string }[] }[]
  }
  assert.ok(bom.metadata.properties.some(({ name, value }) => name === 'lazaret:base:name' && value === 'runtime'))
  const words = bom.vulnerabilities.flatMap(({ properties }) => properties.filter(({ name }) => name === 'lazaret:inBase'))
  assert.equal(words.length, bom.vulnerabilities.length)
  assert.deepEqual(new Set(words.map(({ value }) => value)), new Set(['true', 'false']))
})

test('what is not the base is said to be none, and leaves every finding open', async () => {
  for (const [base, why] of [
    ['other', 'its layer 2 is not that of other'],
    ['above', 'above has more layers than it'],
    ['app', 'it has the very same layers as app'],
  ] as const) {
    const found = await json('app', '--base', base)
    assert.deepEqual(found.base, { known: 'unknown', why })
    assert.ok(found.findings.every((one) => one.inBase === 'unknown'))
    assert.match((await scan('app', '--base', base)).out, new RegExp(`^Built on: unknown, as ${why}$`, 'm'))
  }
  const unnamed = await json('app')
  assert.deepEqual(unnamed.base, { known: 'unknown' })
  assert.ok(unnamed.findings.length > 0 && unnamed.findings.every((one) => one.inBase === 'unknown'))
})

test('of the image only layers that were read count: one that is damaged proves nothing', async () => {
  const layer = await layerOf(alpine)
  const torn = {
    ...layer,
    bytes: layer.bytes.subarray(0, 200),
    descriptor: descriptorOf(layer.descriptor.mediaType, layer.bytes.subarray(0, 200)),
  }
  await writeLayout(imageOfLayers([torn, await layerOf(application)]), at('torn'), '1')
  await writeLayout(await imageOf([alpine]), at('alpine'), '1')
  const { code, out } = await scan('torn', '--base', 'alpine')
  assert.equal(code, 1)
  assert.match(out, /^Built on: unknown, as its layer 1 could not be read$/m)
})

test('a base that is none is refused before anything is read', async () => {
  for (const [base, code, words] of [
    ['rootfs', 2, /is no image with layers/],
    ['-', 2, /not standard input/],
    ['nowhere.example/base:1', 1, /offline/],
  ] as const) {
    const outcome = await scan('app', '--base', base)
    assert.equal(outcome.code, code, outcome.err)
    assert.match(outcome.err, words)
    assert.equal(outcome.out, '')
  }
  const layers = [await layerOf(alpine), await layerOf(runtime)]
  const config = Buffer.from(
    JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [layers[0]?.diffId] } }),
  )
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: descriptorOf(mediaTypes.ociConfig, config) }
  const lying = contentOf({ ...manifest, layers: layers.map(({ descriptor }) => descriptor) } as { mediaType: string }, [
    config,
    ...layers.map(({ bytes }) => bytes),
  ])
  await writeLayout(lying, at('lying'), '1')
  const outcome = await scan('app', '--base', 'lying')
  assert.equal(outcome.code, 1, outcome.err)
  assert.match(outcome.err, /has 2 layers, and its config names 1/)
})

test('what an image says of its base is shown as such, by annotation or label, and nothing in it acts on a terminal', async () => {
  const claiming = await json('claiming')
  assert.deepEqual(claiming.base, { known: 'unknown', claim: { name: 'registry.example/base:1\u001B[2J' } })
  assert.ok(claiming.findings.every((one) => one.inBase === 'unknown'))
  const { out } = await scan('claiming')
  assert.match(out, /^It says of itself that it is built on registry\.example\/base:1\\u001b\[2J, which\s+proves nothing$/m)
  assert.deepEqual((await json('labelled')).base.claim, { name: 'by-label' })
  const both = await json('claiming', '--base', 'copy')
  assert.deepEqual([both.base.known, both.base.claim], ['declared', { name: 'registry.example/base:1\u001B[2J' }])
})

test('a scan that was kept is read again', async () => {
  const { out } = await scan('app', '--base', 'runtime', '--format', 'json')
  await writeFile(at('kept.json'), out)
  const kept = await json('kept.json')
  assert.equal(kept.base.known, 'unknown')
  const { code, err } = await scan('app', '--base', 'kept.json')
  assert.equal(code, 2, err)
})
