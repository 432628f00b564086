// One suite for every client: what is pushed is what is held, and what is held is what is pulled.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { join } from 'node:path'
import { attestedIndex, platformImages } from '../support/buildkit.ts'
import { type Client, type LocalImage, type PulledImage } from '../support/client.ts'
import { type Content, digestsOf, writeLayout } from '../support/content.ts'
import { startDistribution } from '../support/distribution.ts'
import { artifactOf, imageOf, indexOf } from '../support/images.ts'
import { startLazaret } from '../support/lazaret.ts'
import { startPostgres } from '../support/postgres.ts'
import type { Protocol } from '../support/protocol.ts'
import type { Registry } from '../support/registry.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import { alpineBase, debianBase, npmApplication } from '../support/worlds.ts'

export type ImageForm = 'oci' | 'docker' | 'zstd' | 'plain' | 'index' | 'list' | 'attested' | 'artifact'

export interface RoundTrip {
  name: string
  /** Programs without which the suite is left out. */
  needs: readonly string[]
  open: (stack: AsyncDisposableStack) => Promise<Client>
  /** What this client can push and pull. */
  forms: readonly ImageForm[]
  /** Whether the client copies from repository to repository; others have no such command. */
  copies?: boolean
  /** Lazaret with its records in PostgreSQL. */
  postgres?: boolean
}

/** Declares the suite of one client. */
export function roundTripSuite(suite: RoundTrip): void {
  describe(`${suite.name}: round trips`, { skip: lacking(...suite.needs, ...otherTools(suite)) }, () => {
    const stack = new AsyncDisposableStack()
    let scene: Scene
    before(async () => void (scene = await openScene(stack, suite)))
    after(() => stack.disposeAsync())

    test('a wrong password is refused, the right one is kept', () => signIn(scene))
    for (const form of suite.forms) test(`push and pull: ${form}`, () => pushAndPull(scene, form))
    test('a stranger may not pull', () => refuseStranger(scene, suite.forms[0] ?? 'oci'))
    if (suite.copies === true) test('copy to another repository', () => copy(scene))
    test('push once more, then under a second name', () => pushTwice(scene))
    test('list tags', () => listTags(scene))
    test('delete by tag or digest', () => remove(scene))
  })
}

interface Scene {
  registry: Registry
  client: Client
  protocol: Protocol
  image: (form: ImageForm) => Promise<LocalImage>
}

async function openScene(stack: AsyncDisposableStack, suite: RoundTrip): Promise<Scene> {
  const registry = await startRegistry(stack, suite)
  const client = await suite.open(stack)
  const folder = await scratch(stack, 'layouts')
  const image = async (form: ImageForm): Promise<LocalImage> => {
    const content = await contents[form]()
    const layout = await writeLayout(content, join(folder, `${form}-${crypto.randomUUID()}`), 'made')
    return { content, layout, tag: 'made' }
  }
  return { registry, client, protocol: registry.protocol(registry.developer), image }
}

const contents: Record<ImageForm, () => Promise<Content>> = {
  oci: () => imageOf([alpineBase([{ name: 'musl', version: '1.2.5-r0' }]), npmApplication({ minimist: '1.2.8' })]),
  docker: () => imageOf([debianBase([{ name: 'zlib1g', version: '1:1.2.13.dfsg-1' }]), { 'app/run': 'run\n' }], { form: 'docker' }),
  zstd: () => imageOf([alpineBase([{ name: 'musl', version: '1.2.5-r0' }])], { packing: 'zstd' }),
  plain: () => imageOf([npmApplication({ minimist: '1.2.8' })], { packing: 'none' }),
  index: async () => indexOf(await platformImages(npmApplication({ minimist: '1.2.8' }))),
  list: async () => {
    const of = async (architecture: string) => ({
      content: await imageOf([{ 'etc/arch': architecture }], { form: 'docker', architecture }),
      architecture,
    })
    return indexOf([await of('amd64'), await of('arm64')], 'docker')
  },
  attested: async () => attestedIndex(await imageOf([npmApplication({ minimist: '1.2.8' })])),
  artifact: async () => artifactOf('application/vnd.example.report', [{ mediaType: 'text/plain', bytes: Buffer.from('fine\n') }]),
}

/** Some clients ask the registry when they sign in, others only when they have something to do. */
async function signIn({ client, registry, image }: Scene): Promise<void> {
  const login = await client.login(registry.host, { ...registry.developer, password: 'wrong' })
  const refused = login.code === 0 ? await client.push(await image('oci'), `${registry.host}/shop/refused:1.0.0`) : login
  assert.notEqual(refused.code, 0, refused.output)
  assert.match(refused.output, /unauthorized|401|invalid username\/password|authentication|authorization failed/i)
  succeeded(await client.login(registry.host, registry.developer))
  assert.deepEqual(await client.keptLogin(registry.host), registry.developer)
}

async function pushAndPull({ client, registry, protocol, image }: Scene, form: ImageForm): Promise<void> {
  const local = await image(form)
  const repository = `shop/${form}`
  const reference = `${registry.host}/${repository}:1.0.0`
  succeeded(await client.push(local, reference))
  const held = await protocol.read(repository, '1.0.0')
  if (client.keepsBytes) assert.deepEqual(digestsOf(held), digestsOf(local.content), 'what the registry holds is what was pushed')
  await pullAndCompare(client, reference, held)
  await pullAndCompare(client, `${registry.host}/${repository}@${held.root.digest}`, held)
}

async function pullAndCompare(client: Client, reference: string, held: Content): Promise<void> {
  succeeded(await client.pull(reference))
  const pulled: PulledImage = await client.takePulled(reference)
  assert.equal(pulled.digest, held.root.digest, 'manifest digest')
  if (pulled.digests !== undefined) assert.deepEqual(pulled.digests, digestsOf(held), 'every manifest and blob')
  if (pulled.imageId !== undefined) assert.equal(pulled.imageId, configDigestOf(held), 'image id')
}

async function refuseStranger({ client, registry, protocol }: Scene, form: ImageForm): Promise<void> {
  const nobody = registry.protocol()
  const answer = await nobody.ask(`/v2/shop/${form}/manifests/1.0.0`)
  assert.equal(answer.status, 401)
  assert.equal((await protocol.manifest(`shop/${form}`, '1.0.0')).status, 200, 'it is there for who may')
  assert.equal((await client.keptLogin(registry.host)).username, registry.developer.username)
}

async function copy({ client, registry, protocol, image }: Scene): Promise<void> {
  const local = await image('index')
  succeeded(await client.push(local, `${registry.host}/shop/copied-from:1.0.0`))
  succeeded(
    await (client.copy as NonNullable<Client['copy']>)(`${registry.host}/shop/copied-from:1.0.0`, `${registry.host}/shop/copied-to:2.0.0`),
  )
  assert.deepEqual(digestsOf(await protocol.read('shop/copied-to', '2.0.0')), digestsOf(local.content))
}

/** The second push finds its blobs there, the third asks to mount them from another repository. */
async function pushTwice({ client, registry, protocol, image }: Scene): Promise<void> {
  const local = await image('oci')
  for (const reference of ['shop/again:1.0.0', 'shop/again:1.0.1', 'shop/elsewhere:1.0.0'])
    succeeded(await client.push(local, `${registry.host}/${reference}`))
  const first = await protocol.read('shop/again', '1.0.0')
  for (const [repository, tag] of [
    ['shop/again', '1.0.1'],
    ['shop/elsewhere', '1.0.0'],
  ] as const) {
    assert.equal(configDigestOf(await protocol.read(repository, tag)), configDigestOf(first))
  }
}

async function listTags({ client, registry, protocol, image }: Scene): Promise<void> {
  const local = await image('oci')
  for (const tag of ['1.0.0', '1.1.0', 'latest']) succeeded(await client.push(local, `${registry.host}/shop/tagged:${tag}`))
  const kept = registry.protocol(await client.keptLogin(registry.host))
  const seen = client.listTags === undefined ? await kept.tags('shop/tagged') : await client.listTags(`${registry.host}/shop/tagged`)
  assert.deepEqual(seen.toSorted(), ['1.0.0', '1.1.0', 'latest'])
  assert.deepEqual((await protocol.tags('shop/tagged')).toSorted(), ['1.0.0', '1.1.0', 'latest'])
}

async function remove({ client, registry, protocol, image }: Scene): Promise<void> {
  const local = await image('oci')
  succeeded(await client.push(local, `${registry.host}/shop/removed:1.0.0`))
  const { root } = await protocol.read('shop/removed', '1.0.0')
  if (client.remove === undefined) {
    const kept = registry.protocol(await client.keptLogin(registry.host))
    assert.equal((await kept.remove('shop/removed', root.digest)).status, 202)
  } else {
    succeeded(await client.remove(`${registry.host}/shop/removed@${root.digest}`))
  }
  assert.equal((await protocol.manifest('shop/removed', root.digest)).status, 404)
  assert.equal((await protocol.manifest('shop/removed', '1.0.0')).status, 404)
}

/** LAZARET_TEST_PEER=distribution runs the same over CNCF Distribution, to tell a client's fault from ours. */
async function startRegistry(stack: AsyncDisposableStack, suite: RoundTrip): Promise<Registry> {
  if (isPeer()) return startDistribution(stack)
  if (suite.postgres !== true) return startLazaret(stack, { policy: 'observe' })
  const postgres = await startPostgres(stack)
  return startLazaret(stack, { policy: 'observe', env: { LAZARET_DATABASE: await postgres.createDatabase('lazaret') } })
}

function isPeer(): boolean {
  return process.env['LAZARET_TEST_PEER'] === 'distribution'
}

function otherTools(suite: RoundTrip): string[] {
  return [...(isPeer() ? ['registry'] : []), ...(suite.postgres === true ? ['initdb'] : [])]
}

function configDigestOf(content: Content): string | undefined {
  const root = content.manifests.get(content.root.digest)
  return (JSON.parse(root?.bytes.toString('utf8') ?? '{}') as { config?: { digest: string } }).config?.digest
}

function succeeded(outcome: { code: number | null; output: string; command: string }): void {
  assert.equal(outcome.code, 0, `${outcome.command}\n${outcome.output.slice(-4000)}`)
}
