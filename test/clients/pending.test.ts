// An image that is still being examined: a pipeline with the grant works on it, everyone else waits.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Content } from '../support/content.ts'
import { critical, expectVerdict, fixedImage, flawedImage, heldLine, onDisk } from '../support/held.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import type { Answer, Credentials } from '../support/protocol.ts'
import type { Outcome } from '../support/run.ts'
import { lacking } from '../support/tools.ts'
import { expectStatus, pullScope } from '../support/transfer.ts'
import { stopWorker } from '../support/worker.ts'
import { type Bench, expectDone, openBench, operations, passagesByGrant, pipelineGrants, pipelineNeeds, repositoryFor } from './pipeline.ts'

const pullers = ['skopeo', 'podman', 'crane', 'oras'] as const

describe('an image that is being examined', { skip: lacking(...pipelineNeeds) }, () => {
  const stack = new AsyncDisposableStack()
  let server: Lazaret
  let puller: Credentials
  let developer: Bench
  let pipeline: Bench
  let waiter: Bench

  before(async () => {
    server = await startLazaret(stack, { policy: 'balanced', env: { LAZARET_GATE_WAIT_SECONDS: '1' } })
    puller = await server.addRobot('puller', 'pull=shop/**')
    developer = await openBench(stack, server, server.developer)
    pipeline = await openBench(stack, server, await server.addRobot('pipeline', ...pipelineGrants))
    waiter = await openBench(stack, server, puller)
  })
  after(() => stack.disposeAsync())

  for (const operation of operations) {
    test(`${operation.name}: with read-quarantined it does not wait`, async () => {
      using worker = await stopWorker(server)
      const repository = repositoryFor(operation, 'with')
      const content = await pushPending(repository)
      const outcome = await operation.run(pipeline, { name: `${server.host}/${repository}`, content })
      if (!operation.name.endsWith('delete')) await expectPending(`${repository}:1.0.0`)
      await expectDone(server, pipeline, operation, repository, content, outcome)
      worker.goOn()
      if (operation.name !== 'crane copy') return
      await expectVerdict(server, `${repository}-copy:1.0.0`, 'deny')
      assert.match((await server.protocol(puller).manifest(`${repository}-copy`, '1.0.0')).reason, heldLine(`${repository}-copy`, critical))
    })
  }

  for (const operation of operations.filter(({ reads }) => reads)) {
    test(`${operation.name}: without it, the refusal says that it is being examined and names the grant`, async () => {
      using _worker = await stopWorker(server)
      const repository = repositoryFor(operation, 'without')
      const content = await pushPending(repository)
      const outcome = await operation.run(developer, { name: `${server.host}/${repository}`, content })
      assert.notEqual(outcome.code, 0, `${operation.name} read what is being examined`)
      assert.match(outcome.output, operation.refusal ?? examinedLine(repository, 'names the grant'))
      assert.equal((await server.protocol(server.developer).tags(repository)).length, 1, 'nothing was changed')
      await expectPending(`${repository}:1.0.0`)
    })
  }

  for (const operation of operations.filter(({ reads }) => !reads)) {
    test(`${operation.name}: the right to push or to delete is enough`, async () => {
      using _worker = await stopWorker(server)
      const repository = repositoryFor(operation, 'without')
      const content = await pushPending(repository)
      const outcome = await operation.run(developer, { name: `${server.host}/${repository}`, content })
      await expectDone(server, developer, operation, repository, content, outcome)
    })
  }

  for (const name of ['skopeo', 'podman', 'crane'] as const) {
    test(`${name} pushes the fix over its tag, without the grant to read it`, async () => {
      using worker = await stopWorker(server)
      const { repository, pushed } = await pushFixBy(name)
      assert.equal(pushed.code, 0, pushed.output)
      worker.goOn()
      await expectFixed(repository)
    })
  }

  // docs/gate.md: it reads the manifest back from where it has pushed it, to list what was under it.
  test('oras cp pushes the fix too, but says it was refused, as it reads it back', async () => {
    using worker = await stopWorker(server)
    const { repository, pushed } = await pushFixBy('oras')
    assert.notEqual(pushed.code, 0, 'docs/gate.md says that it fails')
    assert.match(pushed.output, examinedLine(repository, 'names the grant'))
    worker.goOn()
    await expectFixed(repository)
  })

  test('oras cp with the grant, and oras push without it, say that it is pushed', async () => {
    using _worker = await stopWorker(server)
    const copied = await pipeline.oras.push(await onDisk(await fixedImage(critical, 'cp'), pipeline.folder), `${server.host}/shop/cp:1.0.0`)
    assert.equal(copied.code, 0, copied.output)
    await writeFile(join(developer.folder, 'report.txt'), 'all is well\n')
    const pushed = await developer.oras.oras(['push', '--plain-http', `${server.host}/shop/report:1.0.0`, 'report.txt:text/plain'], {
      cwd: developer.folder,
    })
    assert.equal(pushed.code, 0, pushed.output)
    for (const image of ['shop/cp:1.0.0', 'shop/report:1.0.0']) await expectPending(image)
  })

  test('a puller waits, and is told to try again', async () => {
    using _worker = await stopWorker(server)
    const content = await pushPending('shop/waits')
    const scope = pullScope('shop/waits')
    const [layer] = content.blobs.keys()
    for (const path of ['manifests/1.0.0', `manifests/${content.root.digest}`, `blobs/${layer}`]) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await server.protocol(puller).ask(`/v2/shop/waits/${path}`, { method, scope })
        expectTryAgain(answer, 'shop/waits')
      }
    }
    const started = performance.now()
    expectTryAgain(await server.protocol(puller).manifest('shop/waits', '1.0.0'), 'shop/waits')
    const waitedMs = performance.now() - started
    assert.ok(waitedMs >= 1000, `it waited ${waitedMs} ms of the second that it may`)
  })

  for (const name of pullers) {
    test(`${name} pulls: refused, and told to try again`, async () => {
      using _worker = await stopWorker(server)
      const repository = `shop/pulled-by-${name}`
      await pushPending(repository)
      const outcome = await waiter[name].pull(`${server.host}/${repository}:1.0.0`)
      assert.notEqual(outcome.code, 0, `${name} pulled what is being examined`)
      assert.match(outcome.output.replaceAll(/\s+/g, ' '), examinedLine(repository))
      assert.ok(!outcome.output.includes('read-quarantined'), 'who only pulls is told of no grant')
    })
  }

  test('the administrator waits like everyone, and a developer is told of the grant', async () => {
    using _worker = await stopWorker(server)
    await pushPending('shop/rank')
    for (const who of [server.admin, server.developer]) {
      const answer = await server.protocol(who).manifest('shop/rank', '1.0.0')
      assert.equal(answer.status, 403)
      assert.match(answer.reason, examinedLine('shop/rank', 'names the grant'))
    }
  })

  test('a read that only the grant let through is in the audit log, as one of what was pending', async () => {
    using _worker = await stopWorker(server)
    const content = await pushPending('shop/audited')
    const pulled = await pipeline.crane.pull(`${server.host}/shop/audited:1.0.0`)
    assert.equal(pulled.code, 0, pulled.output)
    assert.equal((await pipeline.crane.takePulled('shop/audited')).digest, content.root.digest)
    const passages = await passagesByGrant(server, `shop/audited@${content.root.digest}`)
    assert.ok(passages.length > 0)
    for (const passage of passages) assert.deepEqual(passage, { principal: 'robot:pipeline', standing: 'pending' })
  })

  describe('with time to wait', () => {
    let patient: Lazaret
    let bench: Bench
    before(async () => {
      patient = await startLazaret(stack, { policy: 'balanced', env: { LAZARET_GATE_WAIT_SECONDS: '60' } })
      bench = await openBench(stack, patient, await patient.addRobot('puller', 'pull=shop/**'))
    })

    for (const name of pullers) {
      test(`${name}: the pull that waits succeeds when the verdict comes`, async () => {
        using worker = await stopWorker(patient)
        const reference = `${patient.host}/shop/${name}:1.0.0`
        const content = await fixedImage(critical, name)
        expectStatus(await patient.protocol(patient.developer).push(`shop/${name}`, content, '1.0.0'), 201)
        let ended = false
        const pulling = bench[name].pull(reference).finally(() => (ended = true))
        await sleep(1500)
        assert.equal(ended, false, 'it does not wait')
        worker.goOn()
        const pulled = await pulling
        assert.equal(pulled.code, 0, pulled.output)
        assert.equal((await bench[name].takePulled(reference)).digest, content.root.digest)
      })
    }

    test('and is refused with the reason where the verdict is no', async () => {
      using worker = await stopWorker(patient)
      expectStatus(await patient.protocol(patient.developer).push('shop/flawed', await flawedImage(critical), '1.0.0'), 201)
      const pulling = bench.crane.pull(`${patient.host}/shop/flawed:1.0.0`)
      await sleep(500)
      worker.goOn()
      const pulled = await pulling
      assert.notEqual(pulled.code, 0)
      assert.match(pulled.output, heldLine('shop/flawed', critical))
    })
  })

  /** Out: an image of the repository's own under 1.0.0, which nobody examines while the worker stands still. */
  async function pushPending(repository: string): Promise<Content> {
    const content = await flawedImage(critical, repository)
    expectStatus(await server.protocol(server.admin).push(repository, content, '1.0.0'), 201)
    await expectPending(`${repository}:1.0.0`)
    return content
  }

  async function pushFixBy(name: (typeof pullers)[number]): Promise<{ repository: string; pushed: Outcome }> {
    const repository = `shop/fixed-by-${name}`
    await pushPending(repository)
    const image = await onDisk(await fixedImage(critical, name), developer.folder)
    const pushed = await developer[name].push(image, `${server.host}/${repository}:1.0.0`)
    await expectPending(`${repository}:1.0.0`)
    return { repository, pushed }
  }

  async function expectFixed(repository: string): Promise<void> {
    await expectVerdict(server, `${repository}:1.0.0`, 'allow')
    assert.equal((await server.protocol(puller).manifest(repository, '1.0.0')).status, 200)
  }

  async function expectPending(image: string): Promise<void> {
    const answer = expectStatus(await server.api(`/verdict?image=${encodeURIComponent(image)}`), 200)
    assert.equal((JSON.parse(answer.body.toString('utf8')) as { decision: string }).decision, 'pending', answer.body.toString('utf8'))
  }

  function expectTryAgain(answer: Answer, repository: string): void {
    assert.equal(answer.status, 403)
    assert.equal(answer.headers.get('retry-after'), '5')
    assert.match(answer.reason, new RegExp(`^${examinedLine(repository).source}$`))
    if (answer.body.length === 0) return
    const { errors } = JSON.parse(answer.body.toString('utf8')) as { errors: { code: string; message: string }[] }
    assert.deepEqual([errors[0]?.code, errors[0]?.message], ['DENIED', answer.reason])
  }
})

function examinedLine(repository: string, grant?: 'names the grant'): RegExp {
  const more = grant === undefined ? '' : '\\. To work on it before: grant read-quarantined'
  return new RegExp(`lazaret: ${repository}@sha256:[0-9a-f]{6,} is being examined, try again${more}`)
}
