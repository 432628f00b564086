// Who builds and repairs: the fix goes over a held tag, and a narrow grant lets a pipeline work on what is held.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Client } from '../support/client.ts'
import type { Content } from '../support/content.ts'
import { type Cosign, openCosign } from '../support/cosign.ts'
import { openCrane } from '../support/crane.ts'
import { openCtr } from '../support/ctr.ts'
import { openDocker } from '../support/docker.ts'
import { critical, expectVerdict, fixedImage, flawedImage, heldLine, onDisk, pushAndJudge } from '../support/held.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { openOras, type Oras } from '../support/oras.ts'
import { openPodman, type Podman } from '../support/podman.ts'
import type { Credentials } from '../support/protocol.ts'
import type { Outcome } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'
import { openSkopeo } from '../support/skopeo.ts'
import { lacking } from '../support/tools.ts'

const needs = ['skopeo', 'podman', 'crane', 'oras', 'cosign', 'dockerd', 'docker', 'containerd', 'ctr']

describe('the quarantine', { skip: lacking(...needs) }, () => {
  const stack = new AsyncDisposableStack()
  let server: Lazaret
  let folder: string
  let puller: Credentials
  let developer: Bench
  let pipeline: Bench
  /** The developer's clients, and the engines that only a developer has. */
  let engines: Bench & { docker: Client; ctr: Client }

  before(async () => {
    server = await startLazaret(stack, { policy: 'balanced' })
    folder = await scratch(stack, 'quarantine')
    puller = await server.addRobot('puller', 'pull=shop/**')
    developer = await openBench(stack, server, server.developer)
    engines = { ...developer, docker: await openDocker(stack), ctr: await openCtr(stack) }
    for (const client of [engines.docker, engines.ctr]) await signIn(client, server, server.developer)
    pipeline = await openBench(
      stack,
      server,
      await server.addRobot('pipeline', 'pull=shop/**', 'push=shop/**', 'delete=shop/**', 'read-quarantined=shop/**'),
    )
  })
  after(() => stack.disposeAsync())

  for (const name of ['skopeo', 'podman', 'crane', 'oras', 'docker', 'ctr'] as const) {
    test(`${name} pushes the fix over a held tag, without the grant to read it`, async () => {
      const repository = `shop/fixed-by-${name}`
      await hold(repository)
      const pushed = await engines[name].push(await onDisk(await fixedImage(critical, name), folder), `${server.host}/${repository}:1.0.0`)
      assert.equal(pushed.code, 0, pushed.output)
      await expectVerdict(server, `${repository}:1.0.0`, 'allow')
      assert.equal((await server.protocol(puller).manifest(repository, '1.0.0')).status, 200)
    })

    test(`${name} pushes a held image anew`, async () => {
      const repository = `shop/again-by-${name}`
      const content = await hold(repository)
      const pushed = await engines[name].push(await onDisk(content, folder), `${server.host}/${repository}:1.0.1`)
      assert.equal(pushed.code, 0, pushed.output)
      await expectVerdict(server, `${repository}:1.0.1`, 'deny')
    })
  }

  const operations: Operation[] = [
    { name: 'podman manifest add', run: (bench, repository) => manifestAdd(bench.podman, `${server.host}/${repository}:1.0.0`) },
    {
      name: 'crane copy',
      run: (bench, repository) => copy(bench.crane, `${server.host}/${repository}:1.0.0`, `${server.host}/${repository}-copy:1.0.0`),
      check: async (repository) => {
        await expectVerdict(server, `${repository}-copy:1.0.0`, 'deny')
        assert.equal((await server.protocol(puller).manifest(`${repository}-copy`, '1.0.0')).status, 403)
      },
    },
    {
      name: 'cosign sign',
      run: (bench, repository, content) => bench.cosign.sign(`${server.host}/${repository}@${content.root.digest}`),
      check: async (repository, content) => {
        const verified = await pipeline.cosign.verify(`${server.host}/${repository}@${content.root.digest}`)
        assert.equal(verified.code, 0, verified.output)
        assert.equal(await referrerCount(repository, content), 1)
      },
    },
    {
      name: 'skopeo delete',
      run: (bench, repository) => remove(bench.skopeo, `${server.host}/${repository}:1.0.0`),
      check: (repository, content) => gone(repository, content),
    },
    {
      name: 'oras manifest delete',
      run: (bench, repository, content) => remove(bench.oras, `${server.host}/${repository}@${content.root.digest}`),
      check: (repository, content) => gone(repository, content),
      // It stops at a HEAD with a token for pulling, whose answer has no body, and oras does not print the reason phrase.
      refusal: /HEAD "[^"]+": response status code 403/,
    },
  ]
  for (const { name, run, check, refusal } of operations) {
    const repositoryOf = (who: string) => `shop/${name.replaceAll(' ', '-')}-${who}`

    test(`${name}: with read-quarantined it works on what is held`, async () => {
      const repository = repositoryOf('with')
      const content = await hold(repository)
      const outcome = await run(pipeline, repository, content)
      assert.equal(outcome.code, 0, outcome.output)
      await check?.(repository, content)
    })

    test(`${name}: without it, the refusal gives the reason and names the grant`, async () => {
      const repository = repositoryOf('without')
      const content = await hold(repository)
      const outcome = await run(developer, repository, content)
      assert.notEqual(outcome.code, 0, `${name} read what is held`)
      for (const said of refusal === undefined ? [heldLine(repository, critical), /lazaret: [^\n]*read-quarantined/] : [refusal])
        assert.match(outcome.output, said)
      assert.equal((await server.protocol(puller).tags(repository)).length, 1, 'nothing was changed')
    })
  }

  test('podman pushes a list of what is held: the list is held too', async () => {
    await hold('shop/listed')
    const name = 'localhost/list-of-held'
    const steps = [
      ['manifest', 'create', name],
      ['manifest', 'add', '--tls-verify=false', name, `docker://${server.host}/shop/listed:1.0.0`],
      ['manifest', 'push', '--all', '--tls-verify=false', name, `docker://${server.host}/shop/listed-all:1.0.0`],
    ]
    for (const step of steps) {
      const outcome = await pipeline.podman.podman(step)
      assert.equal(outcome.code, 0, outcome.output)
    }
    await expectVerdict(server, 'shop/listed-all:1.0.0', 'deny')
    assert.equal((await server.protocol(puller).manifest('shop/listed-all', '1.0.0')).status, 403)
  })

  // These two never read the manifest: attaching asks by HEAD, which answers who pushes; a delete by digest only deletes.
  test('oras attach: the right to push is enough', async () => {
    const content = await hold('shop/attach')
    for (const [at, bench] of [developer, pipeline].entries()) {
      const outcome = await attach(bench.oras, `${server.host}/shop/attach:1.0.0`, at)
      assert.equal(outcome.code, 0, outcome.output)
    }
    assert.equal(await referrerCount('shop/attach', content), 2)
  })

  test('crane delete by digest: the right to delete is enough', async () => {
    const content = await hold('shop/delete')
    const outcome = await remove(developer.crane, `${server.host}/shop/delete@${content.root.digest}`)
    assert.equal(outcome.code, 0, outcome.output)
    await gone('shop/delete', content)
  })

  test('the administrator does not pass the gate by rank', async () => {
    await hold('shop/rank')
    const answer = await server.protocol(server.admin).manifest('shop/rank', '1.0.0')
    assert.equal(answer.status, 403)
  })

  test('a read that only the grant let through is in the audit log', async () => {
    const content = await hold('shop/audited')
    const { crane } = pipeline
    const pulled = await crane.pull(`${server.host}/shop/audited:1.0.0`)
    assert.equal(pulled.code, 0, pulled.output)
    assert.equal((await crane.takePulled(`${server.host}/shop/audited:1.0.0`)).digest, content.root.digest)
    const log = (await server.api('/audit-log?limit=100')).body.toString('utf8')
    const { items } = JSON.parse(log) as { items: object[] }
    assert.ok(
      items.some(
        (item) => JSON.stringify(item).includes(`shop/audited@${content.root.digest}`) && JSON.stringify(item).includes('pipeline'),
      ),
      log.slice(0, 4000),
    )
  })

  /** Out: a held image, pushed under 1.0.0; its own for each repository. */
  async function hold(repository: string): Promise<Content> {
    const content = await flawedImage(critical, repository)
    await pushAndJudge(server, repository, '1.0.0', content, 'deny')
    return content
  }

  async function referrerCount(repository: string, content: Content): Promise<number> {
    const answer = await server
      .protocol(server.developer)
      .ask(`/v2/${repository}/referrers/${content.root.digest}`, { scope: `repository:${repository}:pull` })
    assert.equal(answer.status, 200, answer.body.toString('utf8'))
    return (JSON.parse(answer.body.toString('utf8')) as { manifests: unknown[] }).manifests.length
  }

  async function gone(repository: string, content: Content): Promise<void> {
    const answer = await server.protocol(server.developer).manifest(repository, content.root.digest)
    assert.equal(answer.status, 404)
  }

  async function attach(oras: Oras, reference: string, at: number): Promise<Outcome> {
    await writeFile(join(folder, `report-${at}.txt`), `report ${at}\n`)
    return oras.oras(
      ['attach', '--plain-http', '--artifact-type', 'application/vnd.example.report', reference, `report-${at}.txt:text/plain`],
      { cwd: folder },
    )
  }
})

/** What a pipeline does to an image that is there. */
interface Operation {
  name: string
  run: (bench: Bench, repository: string, content: Content) => Promise<Outcome>
  check?: (repository: string, content: Content) => Promise<void>
  /** Where the client shows less than the whole line. */
  refusal?: RegExp
}

/** Every client, signed in as one principal. */
interface Bench {
  skopeo: Client
  podman: Podman
  crane: Client
  oras: Oras
  cosign: Cosign
}

async function openBench(stack: AsyncDisposableStack, server: Lazaret, who: Credentials): Promise<Bench> {
  const bench = {
    skopeo: await openSkopeo(stack),
    podman: await openPodman(stack),
    crane: await openCrane(stack),
    oras: await openOras(stack),
    cosign: await openCosign(stack),
  }
  for (const client of Object.values(bench)) await signIn(client, server, who)
  return bench
}

async function signIn(client: Pick<Client, 'login'>, server: Lazaret, who: Credentials): Promise<void> {
  const login = await client.login(server.host, who)
  assert.equal(login.code, 0, login.output)
}

async function manifestAdd({ podman }: Podman, reference: string): Promise<Outcome> {
  const name = `list-${crypto.randomUUID()}`
  const created = await podman(['manifest', 'create', name])
  assert.equal(created.code, 0, created.output)
  return podman(['manifest', 'add', '--tls-verify=false', name, `docker://${reference}`])
}

function copy(client: Client, from: string, to: string): Promise<Outcome> {
  if (client.copy === undefined) throw new Error(`${client.name} copies nothing`)
  return client.copy(from, to)
}

function remove(client: Client, reference: string): Promise<Outcome> {
  if (client.remove === undefined) throw new Error(`${client.name} deletes nothing`)
  return client.remove(reference)
}
