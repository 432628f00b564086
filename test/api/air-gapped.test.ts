// Advisories carried from one server to another without a network between them: as a file, and through a registry.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDistribution } from '../support/distribution.ts'
import { pushAndJudge } from '../support/held.ts'
import { imageOf } from '../support/images.ts'
import { startLazaret, type Lazaret } from '../support/lazaret.ts'
import type { Registry } from '../support/registry.ts'
import { scratch } from '../support/scratch.ts'
import { findTool } from '../support/tools.ts'
import { debianBase, npmApplication } from '../support/worlds.ts'
import { askerOf, type Json } from './asking.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const folder = await scratch(stack, 'air-gapped')
const file = join(folder, 'advisories.zst')
const source = await startLazaret(stack, { policy: 'balanced' })
const key = await printed(source, ['advisories', 'key'])
const target = await startLazaret(stack, { policy: 'balanced', env: { LAZARET_ADVISORIES_TRUSTED_KEYS: key } })

const image = (name: string, version: string) =>
  imageOf([debianBase([{ name: 'tzdata', version: '2024a-0+deb12u1' }]), npmApplication({ [name]: version })])
const images = {
  'shop/held': await image('ours-one', '1.0.0'),
  'shop/fixed': await image('ours-one', '2.0.0'),
  'shop/other': await image('ours-two', '1.5.0'),
}
for (const server of [source, target])
  for (const [repository, content] of Object.entries(images)) await pushAndJudge(server, repository, '1', content, 'allow')

function flaw(id: string, name: string, fixed: string, modified = '2026-11-24T00:00:00Z'): string {
  return `${JSON.stringify({
    schema_version: '1.7.0',
    id,
    modified,
    affected: [{ package: { ecosystem: 'npm', name }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed }] }] }],
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
  })}\n`
}

async function printed(server: Lazaret, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const done = await server.lazaret(args, { env })
  assert.equal(done.code, 0, done.output)
  return done.stdout.trim()
}

const get = async (server: Lazaret, path: string): Promise<Json> => {
  const reply = await askerOf(server.host, server.admin)('GET', path)
  assert.equal(reply.status, 200, reply.text)
  return reply.json
}

/** Decision and reasons by repository and digest: all that a verdict says but when, and by which number of a revision. */
async function verdicts(server: Lazaret): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  for (const repository of Object.keys(images)) {
    const { digest, decision, reasons } = await get(server, `/verdict?image=${repository}:1`)
    found[`${repository}@${digest}`] = { decision, reasons }
  }
  return found
}

async function becomes(server: Lazaret, repository: string, wanted: string): Promise<void> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const { decision } = await get(server, `/verdict?image=${repository}:1`)
    if (decision === wanted) return
    assert.ok(Date.now() < deadline, `${repository} is ${decision}, not ${wanted}`)
    await sleep(100)
  }
}

const lastAudit = async (server: Lazaret, action: string): Promise<Json> => (await get(server, `/audit-log?action=${action}`)).items[0]

test('an export makes the same verdicts elsewhere, digest by digest', async () => {
  writeFileSync(join(folder, 'news.jsonl'), flaw('OURS-1', 'ours-one', '2.0.0') + flaw('OURS-2', 'ours-two', '1.5.0'))
  await printed(source, ['advisories', 'import', join(folder, 'news.jsonl')])
  writeFileSync(join(folder, 'own.jsonl'), flaw('OWN-9', 'ours-two', '9.0.0', '2026-11-23T00:00:00Z'))
  await printed(target, ['advisories', 'import', join(folder, 'own.jsonl')])
  await becomes(source, 'shop/held', 'deny')
  await becomes(target, 'shop/other', 'deny')
  assert.match(await printed(source, ['advisories', 'export', file]), /^revision \d{6}-\d{8} is in .*advisories\.zst$/)
  assert.equal((await lastAudit(source, 'advisories.export')).principal, 'user:admin')
  const shown = await printed(target, ['advisories', 'import', file])
  assert.match(shown.replaceAll(/\s+/g, ' '), /signed by ed25519:\S+; 1 records that were here are not in it/)
  await becomes(target, 'shop/held', 'deny')
  await becomes(target, 'shop/other', 'allow')
  assert.deepEqual(await verdicts(target), await verdicts(source))
  const [there, here] = [await get(source, '/advisories/status'), await get(target, '/advisories/status')]
  assert.deepEqual([here.records, here.sources, here.ecosystems], [there.records, there.sources, there.ecosystems])
  assert.equal((await lastAudit(target, 'advisories.import')).detail.signedBy, key)
})

test('the way back is taken up at once, and on record', async () => {
  const { items } = await get(target, '/advisories/revisions')
  assert.deepEqual(items.map((one: Json) => [one.inForce, one.origin?.how]).slice(0, 2), [
    [true, 'export'],
    [false, undefined],
  ])
  const done = await target.lazaret(['advisories', 'rollback', items[1].revision])
  assert.equal(done.code, 0, done.output)
  await becomes(target, 'shop/other', 'deny')
  await becomes(target, 'shop/held', 'allow')
  const entry = await lastAudit(target, 'advisories.rollback')
  assert.deepEqual([entry.principal, entry.detail.copied, entry.detail.before], ['user:admin', items[1].revision, items[0].revision])
  assert.match(
    await printed(target, ['advisories', 'revisions']),
    new RegExp(`^REVISION[^]*rollback of[^]*in force[^]*\\n${items[1].revision}`),
  )
  const refused = await askerOf(target.host, target.developer)('POST', '/advisories/rollback', { body: { revision: items[0].revision } })
  assert.equal(refused.status, 403)
  const missing = await target.lazaret(['advisories', 'rollback', '000099-20260101'])
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /is not kept \(the last 5 are\)/)
})

test('what no trusted key signed is refused with what to do, or let in by name and on record', async () => {
  const other = await startLazaret(stack, { policy: 'balanced' })
  const refused = await other.lazaret(['advisories', 'import', file])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr.replaceAll(/\s+/g, ' '), /advisories\.trustedKeys, or bring it in with --allow-unsigned/)
  await printed(other, ['advisories', 'import', '--allow-unsigned', file])
  assert.equal((await lastAudit(other, 'advisories.import')).detail.unsigned, true)
  const bytes = readFileSync(file)
  bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1
  writeFileSync(join(folder, 'turned.zst'), bytes)
  const turned = await other.lazaret(['advisories', 'import', '--allow-unsigned', join(folder, 'turned.zst')])
  assert.equal(turned.code, 1)
  assert.match(turned.stderr, /not those that were signed/)
})

test('without a server, an unsigned one goes by the audit log too', async () => {
  const data = join(folder, 'alone')
  await mkdir(data)
  const alone = { LAZARET_DATA: data, LAZARET_SERVER: '', LAZARET_USERNAME: '', LAZARET_PASSWORD: '', HOME: folder, DOCKER_CONFIG: folder }
  const refused = await target.lazaret(['advisories', 'import', file], { env: alone })
  assert.equal(refused.code, 1, refused.output)
  await printed(target, ['advisories', 'import', '--allow-unsigned', file], alone)
  assert.match(await printed(target, ['audit', 'export', '--action', 'advisories.import'], alone), /"unsigned":true/)
})

async function throughRegistry(registry: Registry): Promise<void> {
  const auth = Buffer.from(`${registry.developer.username}:${registry.developer.password}`).toString('base64')
  const config = join(folder, registry.host.replace(':', '-'))
  await mkdir(config)
  writeFileSync(join(config, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }))
  const env = { DOCKER_CONFIG: config }
  const reference = `${registry.host}/shop/advisories:today`
  const pushed = await printed(source, ['advisories', 'export', reference], env)
  const digest = /\((sha256:[0-9a-f]{64})\)$/.exec(pushed)?.[1]
  assert.ok(digest !== undefined, pushed)
  const manifest = JSON.parse((await registry.protocol(registry.developer).manifest('shop/advisories', digest)).body.toString()) as Json
  assert.equal(manifest.artifactType, 'application/vnd.lazaret.advisories.v1')
  for (const from of [reference, `${registry.host}/shop/advisories@${digest}`])
    await printed(target, ['advisories', 'import', '--older', from], env)
  assert.deepEqual((await get(target, '/advisories/status')).records, (await get(source, '/advisories/status')).records)
  await becomes(target, 'shop/held', 'deny')
  await refusesOthers(registry, manifest, env)
}

/** The same repository with manifests that are not what is asked for. */
async function refusesOthers(registry: Registry, manifest: Json, env: Record<string, string>): Promise<void> {
  const [layer] = manifest.layers
  const bad: [string, object, RegExp][] = [
    ['type', { artifactType: 'application/vnd.other' }, /artifact of type "application\/vnd\.other"/],
    ['two', { layers: [layer, layer] }, /has 2 layers, and one is wanted/],
    ['media', { layers: [{ ...layer, mediaType: 'application/octet-stream' }] }, /is "application\/octet-stream", not/],
    ['config', { layers: [{ ...manifest.config, mediaType: layer.mediaType }] }, /no advisory data that is understood/],
  ]
  const protocol = registry.protocol(registry.developer)
  for (const [tag, more, message] of bad) {
    const body = JSON.stringify({ ...manifest, ...more })
    const headers = { 'content-type': manifest.mediaType }
    const put = await protocol.ask(`/v2/shop/advisories/manifests/${tag}`, {
      method: 'PUT',
      headers,
      body,
      scope: 'repository:shop/advisories:pull,push',
    })
    assert.equal(put.status, 201, `${tag}: ${put.body.toString()}`)
    const refused = await target.lazaret(['advisories', 'import', `${registry.host}/shop/advisories:${tag}`], { env })
    assert.equal(refused.code, 1, tag)
    assert.match(refused.stderr.replaceAll(/\s+/g, ' '), message)
  }
}

test('as an artifact of our own registry, through its gate', () => throughRegistry(source))

const noPeer =
  findTool('registry') === undefined &&
  'CNCF Distribution is not here: go install github.com/distribution/distribution/v3/cmd/registry@v3.1.2'
test('as an artifact of CNCF Distribution', { skip: noPeer }, async () => throughRegistry(await startDistribution(stack)))

test('who holds a package is said by range, by grant and by page', async () => {
  const ask = askerOf(source.host, source.admin)
  const held = async (query: string, as = source.admin) =>
    (await ask('GET', `/packages?${query}`, { as })).json.items.map((one: Json) => [one.version, one.repositories])
  assert.deepEqual(await held('name=ours-one&version=%3C2'), [['1.0.0', ['shop/held']]])
  assert.deepEqual(await held('name=ours-one&ecosystem=npm&version=%3E%3D1,%3C%3D2.0.0'), [
    ['1.0.0', ['shop/held']],
    ['2.0.0', ['shop/fixed']],
  ])
  assert.deepEqual(await held('name=ours-one&ecosystem=PyPI'), [])
  const stranger = await source.addUser('stranger', 'pull=other/**')
  assert.deepEqual(await held('name=ours-one', stranger), [])
  const first = (await ask('GET', '/packages?name=ours-one&limit=1')).json
  const second = (await ask('GET', `/packages?name=ours-one&limit=1&after=${first.next}`)).json
  assert.deepEqual([first.items[0].version, second.items[0].version], ['1.0.0', '2.0.0'])
  for (const bad of ['name=x&version=%3C%3C1', 'name=', 'name=x&version=1,2,3,4,5', 'name=x&after=no', 'nam=x'])
    assert.equal((await ask('GET', `/packages?${bad}`)).status, 400, bad)
  assert.match(await printed(source, ['advisories', 'search', 'ours-one@<2.0.0']), /ours-one +1\.0\.0 +npm +shop\/\s*held@sha256/)
})
