import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { policies } from '../../judge/policy.ts'
import type { Digest } from '../../model/digest.ts'
import { addJob, claimJobs, type JobKind } from '../../store/jobs/jobs.ts'
import type { OpenRecords } from '../../store/suites/records.ts'
import { artifactJson, imageJson, indexJson, pushManifest, type Pushed } from '../../store/suites/world.ts'
import { decision, judgedOf, openFlow, pushJson, verdictOf, type FlowWorld } from './world.ts'

export function examinationsSuite(implementation: string, open: OpenRecords): void {
  describe(`examinations over ${implementation}`, () => {
    const stack = new AsyncDisposableStack()
    after(() => stack.disposeAsync())
    const begin = () => openFlow(stack, open)

    test('from the push to the verdict, told to those who wait, and the job is gone', async () => {
      const world = await begin()
      const image = await pushJson(world, 'a', imageJson(['openssl 1 CVE', 'curl 2\nopenssl 1']))
      const id = (await judgedOf(world, image)).id
      const waiting = world.waiters.waitFor(image.repositoryId, id, async () => verdictOf(world, image), Date.now() + 30_000)
      await runJobs(world)
      assert.equal((await waiting)?.decision, 'deny')
      assert.deepEqual(await jobs(world), [])
      const packages = await world.records.read
        .selectFrom('image_packages')
        .select(['name', 'version', 'package_version_id'])
        .where('manifest_id', '=', id)
        .orderBy('position')
        .execute()
      assert.deepEqual(
        packages.map((row) => row.name),
        ['openssl', 'curl', 'openssl'],
      )
      assert.equal(packages[0]?.package_version_id, packages[2]?.package_version_id)
      assert.deepEqual(await matches(world), ['openssl CVE-advisories-1'])
    })

    test('the same once more asks no worker; other advisories, or other extractors, do', async () => {
      const world = await begin()
      const image = await pushJson(world, 'a', imageJson(['openssl 1 CVE']))
      await runJobs(world)
      const before = world.asked.length
      await pushJson(world, 'a', imageJson(['openssl 1 CVE']))
      await runJobs(world)
      assert.equal(world.asked.length, before)
      assert.equal((await verdictOf(world, image))?.evidenceRevision, 1)
      world.force.advisories = 'advisories-2'
      await examineAnew(world, image)
      await runJobs(world)
      assert.deepEqual(world.asked.slice(before), [`examine ${image.digest}`])
      assert.equal((await verdictOf(world, image))?.evidenceRevision, 2)
      assert.deepEqual(await matches(world), ['openssl CVE-advisories-2'])
      await examineAnew(world, image)
      await runJobs(world, world.with({ extractors: 'extractors-2' }))
      assert.ok(world.asked.slice(before + 1).some((what) => what.startsWith('inventory openssl')))
    })

    test('a second push asks for no verdict that stands, and a second repository for none but its own', async () => {
      const world = await begin()
      const image = await pushJson(world, 'a', imageJson(['curl 1']))
      await runJobs(world)
      const [first] = await judgedAt(world)
      await pushJson(world, 'a', imageJson(['curl 1']))
      assert.deepEqual(await jobs(world), [])
      await pushJson(world, 'b', imageJson(['curl 1']))
      await runJobs(world)
      const after = await judgedAt(world)
      assert.equal(after.length, 2)
      assert.deepEqual(after[0], first, 'it was not judged anew')
      assert.equal((await verdictOf(world, image))?.decision, 'allow')
    })

    test('two repositories that share an image both hear of it', async () => {
      const world = await begin()
      const here = await pushJson(world, 'a', imageJson(['curl 1']))
      await runJobs(world)
      const there = await pushJson(world, 'b', imageJson(['curl 1']))
      assert.equal(await decision(world, there), 'none')
      await runJobs(world)
      assert.deepEqual([await decision(world, here), await decision(world, there)], ['allow', 'allow'])
    })

    test('many images at once, with the same packages in any order', async () => {
      const world = await begin()
      const names = Array.from({ length: 250 }, (_, at) => `package${at} 1${at % 50 === 0 ? ' CVE' : ''}`)
      const images: Pushed[] = []
      for (let at = 0; at < 10; at++) {
        const rotated = [...names.slice(at * 20), ...names.slice(0, at * 20)]
        images.push(await pushJson(world, 'a', imageJson([(at % 2 === 0 ? rotated : rotated.toReversed()).join('\n')])))
      }
      await Promise.all(images.map((image, at) => world.examinations.examine(image.digest, -at - 1)))
      for (const image of images) assert.equal(await decision(world, image), 'deny')
      assert.equal((await matches(world)).length, 5)
      assert.equal((await world.records.read.selectFrom('package_versions').select('id').execute()).length, 250)
    })

    test('two examinations of one image: two revisions of its evidence, and the verdict is of the later', async () => {
      const world = await begin()
      const image = await pushJson(world, 'a', imageJson(['curl 1']))
      await Promise.all([world.examinations.examine(image.digest, -1), world.examinations.examine(image.digest, -2)])
      assert.equal((await verdictOf(world, image))?.evidenceRevision, 2)
    })

    test('what can not be kept leaves no half of it', async () => {
      const world = await begin()
      const image = await pushJson(world, 'a', imageJson(['openssl 1 CVE']))
      const fail = await world.records.read.selectFrom('jobs').selectAll().where('kind', '=', 'examine').executeTakeFirstOrThrow()
      const write = world.records.write
      world.records.write = (change) =>
        write(async (tx) => {
          await change(tx)
          throw new Error('the disk is full')
        })
      const { examinations } = world.with({})
      await assert.rejects(examinations.examine(image.digest, fail.id), /the disk is full/)
      world.records.write = write
      assert.deepEqual([await decision(world, image), await matches(world), (await jobs(world)).length], ['none', [], 3])
    })

    test('given up: held with the reason, and examined anew by the next push', async () => {
      const world = await begin()
      const image = await pushJson(world, 'a', imageJson(['curl 1']))
      await world.examinations.giveUp(image.digest, 'the worker ended')
      const verdict = await verdictOf(world, image)
      assert.deepEqual([verdict?.decision, verdict?.reasons[0]?.rule], ['deny', 'unreadable'])
      assert.match(verdict?.reasons[0]?.message ?? '', /its examination failed: the worker ended/)
      await runJobs(world)
      assert.equal(await decision(world, image), 'allow')
      await world.examinations.giveUp('sha256:none' as Digest, 'x')
    })

    test('given up, also by a sweep it is found', async () => {
      const world = await begin()
      const image = await pushJson(world, 'a', imageJson(['curl 1']))
      await runJobs(world)
      await world.examinations.giveUp(image.digest, 'the worker ended')
      await world.examinations.rematch(-1)
      await runJobs(world)
      assert.equal(await decision(world, image), 'allow')
    })

    test('a worker that fails is an error, to be tried again, and no verdict', async () => {
      const world = await begin()
      const image = await pushJson(world, 'a', imageJson(['curl 1']))
      world.broken.problem = 'the worker ended'
      await assert.rejects(world.examinations.examine(image.digest, -1), /the worker ended/)
      assert.equal(await decision(world, image), 'none')
    })

    test('the config is looked at with the layers', async () => {
      const world = await begin()
      const image = await pushJson(world, 'a', imageJson(['curl 1']))
      await world.examinations.examine(image.digest, -1)
      assert.ok(world.asked.some((what) => what.startsWith('inventory {"architecture"')))
    })

    test('what is not here, or could not be looked into, is asked for again by every push and sweep', async () => {
      const world = await begin()
      const { json, blobs } = artifactJson('text/x', ['bomb'])
      const foreign = { mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar', digest: `sha256:${'1'.repeat(64)}`, size: 3 }
      const artifact = await pushJson(world, 'a', { json: { ...json, layers: [...(json['layers'] as object[]), foreign] }, blobs })
      await world.examinations.examine(artifact.digest, -1)
      const reason = (await verdictOf(world, artifact))?.reasons[0]
      assert.deepEqual(
        [await decision(world, artifact), reason?.evidence['details']],
        ['deny', ['past the limits', `blob sha256:${'1'.repeat(64)} is not here`]],
      )
      const before = world.asked.length
      await world.examinations.examine(artifact.digest, -1)
      assert.deepEqual(world.asked.slice(before), [`examine ${artifact.digest}`])
    })

    test('a sweep queues what is of other advisories, after what clients wait for', async () => {
      const world = await begin()
      const images: Pushed[] = []
      for (let at = 0; at < 3; at++) images.push(await pushJson(world, 'a', imageJson([`curl ${at}`])))
      const index = await pushManifest(world, 'a', indexJson(images.map((image) => image.descriptor)))
      await runJobs(world)
      await world.examinations.rematch(-1)
      assert.deepEqual(await jobs(world), [])
      world.force.advisories = 'advisories-2'
      await world.examinations.rematch(-1)
      assert.equal((await jobs(world)).length, 3)
      const fresh = await pushJson(world, 'a', imageJson(['new 1']))
      const [first] = await claimJobs(world.records, ['examine'], 1, world.clock.now)
      assert.equal(first?.subject, fresh.digest)
      await runJobs(world)
      assert.equal(await decision(world, index), 'allow')
    })

    test('under another policy everything is judged anew, once', async () => {
      const world = await begin()
      const image = await pushJson(world, 'a', imageJson(['openssl 1 CVE']))
      const index = await pushManifest(world, 'a', indexJson([image.descriptor]))
      await runJobs(world)
      assert.deepEqual([await decision(world, image), await decision(world, index)], ['deny', 'deny'])
      const asked = world.asked.length
      await world.with({ policy: policies.observe }).examinations.rejudge('*', -1)
      assert.deepEqual([await decision(world, image), await decision(world, index)], ['warn', 'warn'])
      assert.equal(world.asked.length, asked)
      const left = await world.records.read
        .selectFrom('verdicts')
        .select('manifest_id')
        .where('policy_revision', '!=', policies.observe.revision)
        .execute()
      assert.deepEqual(left, [])
    })

    test('a job for what is gone is done', async () => {
      const world = await begin()
      await world.examinations.examine(`sha256:${'0'.repeat(64)}` as Digest, -1)
      await world.examinations.rejudge(`sha256:${'0'.repeat(64)}`, -1)
    })
  })
}

function examineAnew({ records }: FlowWorld, { digest }: Pushed): Promise<void> {
  return records.write((tx) => addJob(tx, 'examine', digest, Date.now()))
}

async function runJobs(world: FlowWorld, by: Pick<FlowWorld, 'inventories' | 'examinations'> = world): Promise<void> {
  const kinds: JobKind[] = ['inventory', 'examine', 'rejudge', 'rematch']
  for (;;) {
    const claimed = await claimJobs(world.records, kinds, 4, world.clock.now)
    if (claimed.length === 0) return
    await Promise.all(
      claimed.map(async (job) => {
        if (job.kind === 'examine') return by.examinations.examine(job.subject as Digest, job.id)
        if (job.kind === 'rejudge') return by.examinations.rejudge(job.subject, job.id)
        await by.inventories.of(job.subject as Digest)
        await world.records.write((tx) => tx.deleteFrom('jobs').where('id', '=', job.id).execute())
      }),
    )
  }
}

function judgedAt({ records }: FlowWorld) {
  return records.read.selectFrom('verdicts').select(['repository_id', 'judged_at', 'evidence_revision']).orderBy('repository_id').execute()
}

async function jobs(world: FlowWorld): Promise<string[]> {
  return (await world.records.read.selectFrom('jobs').select(['kind', 'subject']).execute()).map((row) => `${row.kind} ${row.subject}`)
}

async function matches(world: FlowWorld): Promise<string[]> {
  const rows = await world.records.read
    .selectFrom('matches as m')
    .innerJoin('package_versions as p', 'p.id', 'm.package_version_id')
    .select(['p.name', 'm.finding_id'])
    .execute()
  return rows.map((row) => `${row.name} ${row.finding_id}`)
}
