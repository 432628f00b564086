// Who builds and repairs: the fix goes over a held tag, and a narrow grant lets a pipeline work on what is held.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Client } from '../support/client.ts'
import type { Content } from '../support/content.ts'
import { openCtr } from '../support/ctr.ts'
import { openDocker } from '../support/docker.ts'
import { critical, expectVerdict, fixedImage, flawedImage, heldLine, onDisk, pushAndJudge } from '../support/held.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import type { Credentials } from '../support/protocol.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import {
  type Bench,
  expectDone,
  openBench,
  operations,
  passagesByGrant,
  pipelineGrants,
  pipelineNeeds,
  repositoryFor,
  signIn,
} from './pipeline.ts'

const needs = [...pipelineNeeds, 'dockerd', 'docker', 'containerd', 'ctr']

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
    pipeline = await openBench(stack, server, await server.addRobot('pipeline', ...pipelineGrants))
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

  for (const operation of operations.filter(({ reads }) => reads)) {
    test(`${operation.name}: with read-quarantined it works on what is held`, async () => {
      const repository = repositoryFor(operation, 'with')
      const content = await hold(repository)
      const outcome = await operation.run(pipeline, { name: `${server.host}/${repository}`, content })
      await expectDone(server, pipeline, operation, repository, content, outcome)
      if (operation.name === 'lazaret scan') assert.match(outcome.stdout, new RegExp(`critical +${critical.id} +${critical.packageName}`))
      if (operation.name !== 'crane copy') return
      await expectVerdict(server, `${repository}-copy:1.0.0`, 'deny')
      assert.equal((await server.protocol(puller).manifest(`${repository}-copy`, '1.0.0')).status, 403)
    })

    test(`${operation.name}: without it, the refusal gives the reason and names the grant`, async () => {
      const repository = repositoryFor(operation, 'without')
      const content = await hold(repository)
      const outcome = await operation.run(developer, { name: `${server.host}/${repository}`, content })
      assert.notEqual(outcome.code, 0, `${operation.name} read what is held`)
      for (const said of operation.refusal === undefined
        ? [heldLine(repository, critical), /lazaret: [^\n]*read-quarantined/]
        : [operation.refusal])
        assert.match(outcome.output, said)
      assert.equal((await server.protocol(puller).tags(repository)).length, 1, 'nothing was changed')
    })
  }

  for (const operation of operations.filter(({ reads }) => !reads)) {
    test(`${operation.name}: the right to push or to delete is enough`, async () => {
      for (const [who, bench] of Object.entries({ developer, pipeline })) {
        const repository = repositoryFor(operation, who)
        const content = await hold(repository)
        const outcome = await operation.run(bench, { name: `${server.host}/${repository}`, content })
        await expectDone(server, bench, operation, repository, content, outcome)
      }
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
    const passages = await passagesByGrant(server, `shop/audited@${content.root.digest}`)
    assert.ok(passages.length > 0)
    for (const passage of passages) assert.deepEqual(passage, { principal: 'robot:pipeline', standing: 'deny' })
  })

  /** Out: a held image, pushed under 1.0.0; its own for each repository. */
  async function hold(repository: string): Promise<Content> {
    const content = await flawedImage(critical, repository)
    await pushAndJudge(server, repository, '1.0.0', content, 'deny')
    return content
  }
})
