// What an image was built on, as a server tells it: by its layers, to each who may see the base.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { pushAndJudge } from '../support/held.ts'
import { imageOf } from '../support/images.ts'
import { startLazaret } from '../support/lazaret.ts'
import { debianBase, npmApplication } from '../support/worlds.ts'
import { askerOf, type As, type Json } from './asking.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const server = await startLazaret(stack, { policy: 'observe', env: { LAZARET_BASES: 'library/**' } })
const ask = askerOf(server.host, server.admin)

const debian = debianBase([{ name: 'tzdata', version: '2024a-0+deb12u1' }])
const node = { ...npmApplication({ minimist: '1.2.5' }), 'usr/bin/node': 'a program' }
const name = 'org.opencontainers.image.base.name'
await pushAndJudge(server, 'library/debian', '12', await imageOf([debian]), 'allow')
await pushAndJudge(server, 'library/node', '20', await imageOf([debian, node]), 'warn')
// The same layers in other packing are the same layers.
const application = { 'srv/node_modules/jquery/package.json': JSON.stringify({ name: 'jquery', version: '3.4.1' }) }
const shop = await imageOf([debian, node, application], { packing: 'zstd', annotations: { [name]: 'library/something-else' } })
await pushAndJudge(server, 'shop/api', '1', shop, 'warn')

const get = async (path: string, as: As = server.admin): Promise<Json> => {
  const reply = await ask('GET', path, { as })
  assert.equal(reply.status, 200, reply.text)
  return reply.json
}

test('the verdict says what the image was built on, and what it claims beside', async () => {
  const { base } = await get('/verdict?image=shop/api:1')
  const digest = (await get('/verdict?image=library/node:20')).digest
  assert.deepEqual(base, {
    known: 'declared',
    layers: 2,
    digest,
    names: ['library/node:20'],
    claim: { name: 'library/something-else' },
  })
  assert.equal((await get('/verdict?image=library/node:20')).base.names[0], 'library/debian:12')
  assert.equal((await get('/verdict?image=library/debian:12')).base.known, 'unknown')
})

test('who may not see the base reads that there is one, and nothing of it', async () => {
  const { base } = await get('/verdict?image=shop/api:1', server.developer)
  assert.deepEqual(base, { known: 'hidden', layers: 2, claim: { name: 'library/something-else' } })
})

test('each finding of an image says whether its base had it, and they can be asked for by it', async () => {
  const found = async (more: string) =>
    (await get(`/findings?image=shop/api:1${more}`, server.developer)).items.map((item: Json) => `${item.packageName} ${item.inBase}`)
  const both = new Set(await found(''))
  assert.deepEqual(both, new Set(['tzdata true', 'minimist true', 'jquery false']))
  assert.deepEqual(new Set(await found('&base=true')), new Set(['tzdata true', 'minimist true']))
  assert.deepEqual(new Set(await found('&base=false')), new Set(['jquery false']))
  const ofDebian = await get('/findings?image=library/node:20&base=false')
  assert.deepEqual(new Set(ofDebian.items.map((item: Json) => item.packageName)), new Set(['minimist']))
  const everywhere = await ask('GET', '/findings?base=true')
  assert.equal(everywhere.status, 400, everywhere.text)
  assert.match(everywhere.text, /asked of one image/)
  assert.equal((await ask('GET', '/findings?image=shop/api:1&base=perhaps')).status, 400)
})

test('of an image without a known base every finding may be its own', async () => {
  await pushAndJudge(server, 'shop/alone', '1', await imageOf([{ 'etc/alone': '1' }, application]), 'warn')
  const items = (await get('/findings?image=shop/alone:1&base=false')).items
  assert.ok(items.length > 0)
  assert.ok(items.every((item: Json) => item.inBase === 'unknown'))
  assert.deepEqual((await get('/findings?image=shop/alone:1&base=true')).items, [])
})

test('the SBOM has it too', async () => {
  const { metadata, vulnerabilities } = await get('/sbom?image=shop/api:1')
  const properties = new Map(metadata.properties.map(({ name: key, value }: Json) => [key, value]))
  assert.equal(properties.get('lazaret:base:name'), 'library/node:20')
  assert.equal(properties.get('lazaret:base:layers'), '2')
  const words = vulnerabilities.flatMap((one: Json) => one.properties.filter((property: Json) => property.name === 'lazaret:inBase'))
  assert.deepEqual(new Set(words.map((property: Json) => property.value)), new Set(['true', 'false']))
})

test('who builds on an image', async () => {
  const { digest } = await get('/verdict?image=library/debian:12')
  const built = await get(`/images?base=${digest}`)
  assert.deepEqual(
    built.items.map((item: Json) => `${item.repository}:${item.tags}`),
    ['library/node:20', 'shop/api:1'],
  )
  assert.equal((await ask('GET', `/images?base=${digest}`, { as: server.developer })).status, 404)
  assert.equal((await ask('GET', '/images?base=debian')).status, 400)
})

test('`lazaret why` says it in a line', async () => {
  const { stdout } = await server.lazaret(['why', 'shop/api:1'])
  assert.match(stdout, /^Built on library\/node:20 \(its lowest 2 layers\)$/m)
  assert.match(stdout, /^It says of itself that it is built on library\/something-else, which proves nothing$/m)
})

test('an image that is deleted is no base any more', async () => {
  const { digest } = await get('/verdict?image=library/node:20')
  assert.equal((await server.protocol(server.admin).remove('library/node', digest)).status, 202)
  assert.deepEqual((await get('/verdict?image=shop/api:1')).base.names, ['library/debian:12'])
})
