// Who only pulls: each client is refused what is held, is told why, and gets what is clean.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openBuildah } from '../support/buildah.ts'
import { attestedIndex, cacheImage, cacheIndex } from '../support/buildkit.ts'
import type { Client } from '../support/client.ts'
import { type Content, contentOf, digestsOf } from '../support/content.ts'
import { openCrane } from '../support/crane.ts'
import { openCtr } from '../support/ctr.ts'
import { openDocker } from '../support/docker.ts'
import { critical, exploited, fixedImage, flawedImage, heldLine, pushAndJudge } from '../support/held.ts'
import { artifactOf, imageOf, indexOf } from '../support/images.ts'
import { layerOf } from '../support/layers.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { openOras } from '../support/oras.ts'
import { openPodman } from '../support/podman.ts'
import { type Credentials, protocolOf } from '../support/protocol.ts'
import { openSkopeo } from '../support/skopeo.ts'
import { lacking } from '../support/tools.ts'
import { acceptAll, expectStatus, pullScope } from '../support/transfer.ts'
import { fedoraBase, npmApplication } from '../support/worlds.ts'

const clients: { name: string; needs: string[]; open: (stack: AsyncDisposableStack) => Promise<Client> }[] = [
  { name: 'docker', needs: ['dockerd', 'docker', 'containerd', 'skopeo', 'podman'], open: openDocker },
  { name: 'ctr', needs: ['containerd', 'ctr'], open: openCtr },
  { name: 'skopeo', needs: ['skopeo', 'podman'], open: openSkopeo },
  { name: 'podman', needs: ['podman'], open: (stack) => openPodman(stack) },
  { name: 'buildah', needs: ['buildah', 'podman'], open: openBuildah },
  { name: 'crane', needs: ['crane'], open: openCrane },
  { name: 'oras', needs: ['oras'], open: openOras },
]

describe('the gate', { skip: lacking() }, () => {
  const stack = new AsyncDisposableStack()
  let server: Lazaret
  let puller: Credentials
  const held = new Map<string, Content>()

  before(async () => {
    server = await startLazaret(stack, { policy: 'balanced' })
    puller = await server.addRobot('puller', 'pull=shop/**')
    held.set('critical', await flawedImage(critical))
    held.set('exploited', await flawedImage(exploited))
    await pushAndJudge(server, 'shop/api', '1.0.0', held.get('critical') as Content, 'deny')
    await pushAndJudge(server, 'shop/web', '1.0.0', held.get('exploited') as Content, 'deny')
    await pushAndJudge(server, 'shop/clean', '1.0.0', await fixedImage(critical), 'allow')
    await pushAndJudge(server, 'shop/base', '9.4', await imageOf([await fedoraBase()]), 'deny')
  })
  after(() => stack.disposeAsync())

  for (const { name, needs, open } of clients) {
    describe(name, { skip: lacking(...needs) }, () => {
      const own = new AsyncDisposableStack()
      let client: Client
      before(async () => {
        client = await open(own)
        const login = await client.login(server.host, puller)
        assert.equal(login.code, 0, login.output)
      })
      after(() => own.disposeAsync())

      test('a critical flaw with a fix: refused, with the reason', () => refused(client, 'shop/api:1.0.0', heldLine('shop/api', critical)))
      test('the same by digest', () => refused(client, `shop/api@${held.get('critical')?.root.digest}`, heldLine('shop/api', critical)))
      test('a known exploited flaw: refused, with the reason', () => refused(client, 'shop/web:1.0.0', heldLine('shop/web', exploited)))
      test('packages that cannot be judged: refused, with the reason', () =>
        refused(client, 'shop/base:9.4', /lazaret: shop\/base@sha256:\S+ is held: .*rpm/))
      test('the fixed version is handed out', async () => {
        const pulled = await client.pull(`${server.host}/shop/clean:1.0.0`)
        assert.equal(pulled.code, 0, pulled.output)
        assert.equal((await client.takePulled(`${server.host}/shop/clean:1.0.0`)).digest, (await fixedImage(critical)).root.digest)
      })
    })
  }

  test('the refusal: status, code, one ASCII line as message and as reason phrase', async () => {
    const answer = await server.protocol(puller).manifest('shop/api', '1.0.0')
    assert.equal(answer.status, 403)
    const body = JSON.parse(answer.body.toString('utf8')) as { errors: { code: string; message: string; detail: unknown }[] }
    const [error] = body.errors
    assert.equal(error?.code, 'DENIED')
    assert.match(error?.message ?? '', /^[\x20-\x7e]{1,200}$/)
    assert.equal(answer.reason, error?.message)
    assert.match(JSON.stringify(error?.detail), /critical-with-fix/)
    const head = await server.protocol(puller).ask('/v2/shop/api/manifests/1.0.0', { method: 'HEAD', scope: 'repository:shop/api:pull' })
    assert.deepEqual([head.status, head.reason, head.body.length], [403, error?.message, 0])
  })

  test('a pull right after the push waits for the verdict', async () => {
    const [bad, good] = [await flawedImage(critical, 'fresh'), await fixedImage(critical, 'fresh')]
    expectStatus(await server.protocol(server.developer).push('shop/fresh', bad, 'bad'), 201)
    const refusal = await server.protocol(puller).manifest('shop/fresh', 'bad')
    assert.match(refusal.reason, heldLine('shop/fresh', critical))
    expectStatus(await server.protocol(server.developer).push('shop/fresh', good, 'good'), 201)
    assert.equal((await server.protocol(puller).manifest('shop/fresh', 'good')).status, 200)
    const next = await server.protocol(puller).manifest('shop/fresh', 'bad')
    assert.match(next.reason, /Use shop\/fresh:good/)
  })

  test('no layer or config leaves by its digest', async () => {
    const protocol = server.protocol(puller)
    for (const digest of (held.get('critical') as Content).blobs.keys()) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await protocol.ask(`/v2/shop/api/blobs/${digest}`, { method, scope: 'repository:shop/api:pull' })
        assert.equal(answer.status, 403, `${method} ${digest}`)
      }
    }
  })

  test('no mount takes a held blob to where it could be read', async () => {
    const mover = await server.addRobot('mover', 'pull=shop/**', 'pull=mine/**', 'push=mine/**')
    const [digest] = (held.get('critical') as Content).blobs.keys()
    for (const from of ['&from=shop/api', '']) {
      const scope = 'repository:mine/copy:pull,push'
      const answer = await server.protocol(mover).askBasic(`/v2/mine/copy/blobs/uploads/?mount=${digest}${from}`, { method: 'POST', scope })
      assert.equal(answer.status, 202, `mount${from}`)
    }
  })

  test('an index passes while one platform does; the held platform does not', async () => {
    const [good, bad] = [await fixedImage(critical, 'mixed'), await flawedImage(critical, 'mixed')]
    await pushAndJudge(
      server,
      'shop/mixed',
      '1.0.0',
      indexOf([
        { content: good, architecture: 'amd64' },
        { content: bad, architecture: 'arm64' },
      ]),
      'allow',
    )
    const protocol = server.protocol(puller)
    assert.equal((await protocol.manifest('shop/mixed', '1.0.0')).status, 200)
    assert.equal((await protocol.manifest('shop/mixed', good.root.digest)).status, 200)
    const refusal = await protocol.manifest('shop/mixed', bad.root.digest)
    assert.equal(refusal.status, 403)
    assert.match(refusal.reason, heldLine('shop/mixed', critical))
  })

  test('an index is held where every platform is; attestations count for nothing and go with their image', async () => {
    const bad = attestedIndex(await flawedImage(critical, 'attested'))
    await pushAndJudge(server, 'shop/attested', 'bad', bad, 'deny')
    const good = attestedIndex(await fixedImage(critical, 'attested'))
    await pushAndJudge(server, 'shop/attested', 'good', good, 'allow')
    const protocol = server.protocol(puller)
    for (const digest of bad.manifests.keys()) assert.equal((await protocol.manifest('shop/attested', digest)).status, 403, digest)
    for (const digest of good.manifests.keys()) assert.equal((await protocol.manifest('shop/attested', digest)).status, 200, digest)
  })

  test("BuildKit's caches are for those who push, in both forms", async () => {
    const layers = [await layerOf(npmApplication({ minimist: '1.2.6' }))]
    for (const [tag, content] of [
      ['manifest', cacheImage(layers)],
      ['index', cacheIndex(layers)],
    ] as const) {
      expectStatus(await server.protocol(server.developer).push('shop/cache', content, tag), 201)
      assert.equal((await server.protocol(puller).manifest('shop/cache', tag)).status, 403, tag)
      const read = await server.protocol(server.developer).read('shop/cache', tag)
      assert.equal(read.root.digest, content.root.digest)
    }
  })

  test('an artifact of plain files is handed out, and an archive in one is looked into', async () => {
    const plain = artifactOf('application/vnd.example.report', [{ mediaType: 'text/plain', bytes: Buffer.from('all is well\n') }])
    await pushAndJudge(server, 'shop/report', '1', plain, 'allow')
    assert.deepEqual(digestsOf(await server.protocol(puller).read('shop/report', '1')), digestsOf(plain))
    const { bytes } = await layerOf(npmApplication({ [critical.packageName]: critical.flawed }))
    const archive = artifactOf('application/vnd.example.bundle', [{ mediaType: 'application/octet-stream', bytes }])
    await pushAndJudge(server, 'shop/bundle', '1', archive, 'deny')
    assert.match((await server.protocol(puller).manifest('shop/bundle', '1')).reason, heldLine('shop/bundle', critical))
  })

  test('an image that calls itself an artifact is judged as an image', async () => {
    const image = await flawedImage(critical, 'disguised')
    const root = JSON.parse((image.manifests.get(image.root.digest) as { bytes: Buffer }).bytes.toString('utf8')) as { mediaType: string }
    const disguised = contentOf({ ...root, artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json' } as { mediaType: string }, [
      ...image.blobs.values(),
    ])
    await pushAndJudge(server, 'shop/disguised', '1', disguised, 'deny')
    const agent = { accept: acceptAll, 'user-agent': 'cosign/v3.1.3' }
    const answer = await server
      .protocol(puller)
      .ask('/v2/shop/disguised/manifests/1', { headers: agent, scope: pullScope('shop/disguised') })
    assert.equal(answer.status, 403)
  })

  test('the names that clients use for this machine are equals', async () => {
    const port = server.host.slice(server.host.indexOf(':') + 1)
    const protocol = protocolOf(`localhost:${port}`, puller)
    assert.equal((await protocol.manifest('shop/clean', '1.0.0')).status, 200)
    const challenge = (await protocolOf(`localhost:${port}`).ask('/v2/')).headers.get('www-authenticate') ?? ''
    assert.ok(challenge.includes(`realm="http://localhost:${port}/`), challenge)
  })

  async function refused(client: Client, reference: string, reason: RegExp): Promise<void> {
    const outcome = await client.pull(`${server.host}/${reference}`)
    assert.notEqual(outcome.code, 0, `${client.name} pulled ${reference}`)
    assert.match(outcome.output.replaceAll(/\s+/g, ' '), reason)
  }
})
