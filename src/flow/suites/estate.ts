import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { ChangeSet } from '../../advisories/changes.ts'
import type { Digest } from '../../model/digest.ts'
import { forgetMoves, listChanges, listMoves } from '../../store/advisory-changes.ts'
import { estateOf } from '../../store/estate.ts'
import { claimJobs, type JobKind } from '../../store/jobs/jobs.ts'
import type { OpenRecords } from '../../store/suites/records.ts'
import { imageJson, indexJson, pushManifest, type Pushed } from '../../store/suites/world.ts'
import { decision, judgedOf, openFlow, pushJson, verdictOf, type FlowWorld } from './world.ts'

/** From one revision of the advisories to the next, over the records: advisory_estate, rematches, advisory_changes, verdict_moves. */
export function estateSuite(implementation: string, open: OpenRecords): void {
  describe(`the estate over ${implementation}`, () => {
    const stack = new AsyncDisposableStack()
    after(() => stack.disposeAsync())

    /** A world whose images are right by `advisories-1`. */
    async function begin(...texts: string[]) {
      const world = await openFlow(stack, open)
      const images: Pushed[] = []
      for (const text of texts) images.push(await pushJson(world, 'a', imageJson([text])))
      await runJobs(world)
      await world.examinations.rematch(-1)
      world.asked.length = 0
      return { world, images }
    }

    test('what holds a package of the change is matched again, and nothing else is read or written', async () => {
      const { world, images } = await begin('openssl 1', 'curl 1', 'openssl 2\ncurl 1')
      const [first, second, third] = images as [Pushed, Pushed, Pushed]
      const index = await pushManifest(world, 'a', indexJson([first.descriptor]))
      await runJobs(world)
      const before = await rowsOf(world, second)
      await move(world, 'advisories-2', ['openssl'], ['openssl'])
      assert.deepEqual(world.asked, [`rematch ${first.digest}`, `rematch ${third.digest}`])
      assert.deepEqual(await decisions(world, [first, second, third, index]), ['deny', 'allow', 'deny', 'deny'])
      assert.deepEqual(await rowsOf(world, second), before)
      assert.deepEqual(await matches(world), ['openssl 1', 'openssl 2'])
      assert.deepEqual(await estateOf(world.records.read), { revision: 'advisories-2' })
      await move(world, 'advisories-3', ['openssl'], [])
      assert.deepEqual(await decisions(world, [first, second, third, index]), ['allow', 'allow', 'allow', 'allow'])
      assert.deepEqual(await matches(world), [])
      const [back, there] = await listChanges(world.records, { limit: 2 })
      assert.deepEqual(
        [there?.verdicts, back?.verdicts],
        [
          { toDeny: 3, toAllow: 0, other: 0 },
          { toDeny: 0, toAllow: 3, other: 0 },
        ],
      )
      assert.deepEqual(
        [there?.state, there?.images, there?.versions],
        ['done', { looked: 2, moved: 2, waiting: 0 }, { matched: 2, moved: 2 }],
      )
      const history = await listMoves(world.records, { repositoryId: first.repositoryId, digest: first.digest }, { limit: 9 })
      assert.deepEqual(
        history.map(({ from, to, change }) => [from, to, change]),
        [
          ['deny', 'allow', back?.id],
          ['allow', 'deny', there?.id],
        ],
      )
      assert.equal(await forgetMoves(world.records, world.clock.now + 1), 6)
    })

    test('an image that the change does not touch is right by it: a push asks no worker', async () => {
      const { world } = await begin('curl 1')
      await move(world, 'advisories-2', ['openssl'], ['openssl'])
      await pushJson(world, 'b', imageJson(['curl 1']))
      await runJobs(world)
      assert.deepEqual(world.asked, [])
    })

    test('what is in use goes first', async () => {
      const { world, images } = await begin(...Array.from({ length: 60 }, (_, at) => `openssl ${at}`))
      const used = images.at(-1) as Pushed
      const { id } = await judgedOf(world, used)
      await world.records.write((tx) =>
        tx.updateTable('manifest_links').set({ pulled_at: world.clock.now }).where('manifest_id', '=', id).execute(),
      )
      await move(world, 'advisories-2', ['openssl'], ['openssl'])
      assert.equal(world.asked[0], `rematch ${used.digest}`)
      assert.equal(world.asked.length, 60)
    })

    test('a worker that fails leaves the rest to the next attempt, and an import in between changes nothing of that', async () => {
      const { world, images } = await begin('openssl 1', 'curl 1')
      world.broken.problem = 'the worker ended'
      await assert.rejects(move(world, 'advisories-2', ['openssl'], ['openssl']), /the worker ended/)
      assert.deepEqual(await decisions(world, images), ['allow', 'allow'])
      await assert.rejects(move(world, 'advisories-3', ['curl'], ['openssl', 'curl']), /the worker ended/)
      const waiting = await world.records.read.selectFrom('rematches').select('since').orderBy('manifest_id').execute()
      assert.deepEqual(
        waiting.map(({ since }) => since),
        ['advisories-1', 'advisories-2'],
      )
      delete world.broken.problem
      await world.examinations.rematch(-1)
      assert.deepEqual(await decisions(world, images), ['deny', 'deny'])
      assert.deepEqual(await world.records.read.selectFrom('rematches').select('since').execute(), [])
    })

    test('other advisories come into force while the worker is at it: what it found is not kept, and the images end on the new ones', async () => {
      const { world, images } = await begin('openssl 1')
      world.force.onRematch = () => {
        world.force.advisories = 'advisories-3'
        world.force.changes = changeOf(['openssl'])
        world.force.flawed = []
        delete world.force.onRematch
      }
      await move(world, 'advisories-2', ['openssl'], ['openssl'])
      assert.deepEqual(await estateOf(world.records.read), { revision: 'advisories-3' })
      assert.deepEqual([await decisions(world, images), world.asked.length], [['allow'], 2])
    })

    test('an image that was examined by the advisories before is looked at again', async () => {
      const { world } = await begin('curl 1')
      await move(world, 'advisories-2', ['openssl'], ['openssl'])
      world.force.advisories = 'advisories-1' // as a worker has it that began before the import
      const late = await pushJson(world, 'a', imageJson(['openssl 1']))
      await runJobs(world, ['inventory', 'examine'])
      assert.equal(await decision(world, late), 'allow')
      world.force.advisories = 'advisories-2'
      await runJobs(world)
      assert.equal(await decision(world, late), 'deny')
    })

    test('where nobody can tell what changed, all are examined again; until then a push does so too', async () => {
      const { world, images } = await begin('openssl 1', 'curl 1')
      world.force.advisories = 'advisories-2'
      await world.examinations.rematch(-1)
      assert.equal((await world.records.read.selectFrom('rematches').select('whole').execute()).length, 2)
      await runJobs(world)
      assert.deepEqual(world.asked.toSorted(), images.map(({ digest }) => `examine ${digest}`).toSorted())
      const [change] = await listChanges(world.records, { limit: 1 })
      assert.deepEqual([change?.state, change?.images.waiting], ['done', 0])
    })

    test('an ecosystem that is judged only now: what holds its packages is examined again', async () => {
      const { world, images } = await begin('openssl 1')
      await move(world, 'advisories-2', [], [], { covered: ['Debian:12'] })
      await runJobs(world)
      assert.deepEqual(world.asked, [`examine ${images[0]?.digest}`])
    })

    test('data of a newer day: what was judged by old data is looked at, and nothing else', async () => {
      const { world, images } = await begin('openssl 1', 'curl 1')
      const { id } = await judgedOf(world, images[1] as Pushed)
      await world.records.write((tx) => tx.updateTable('verdicts').set({ stale: 1 }).where('manifest_id', '=', id).execute())
      await move(world, 'advisories-2', [], [], { dated: true })
      assert.deepEqual(world.asked, [`rematch ${images[1]?.digest}`])
    })
  })
}

function changeOf(names: string[], more: Partial<ChangeSet> = {}): ChangeSet {
  const packages = names.map((name) => ({ ecosystem: 'Debian:12', name }))
  const counts = { added: names.length, changed: 0, withdrawn: 0, flaws: 0, packages: names.length }
  return { counts, packages, covered: [], dated: false, artifacts: false, ...more }
}

/** Other advisories come into force. In: the packages that they say something else of, and those that have a flaw by them. */
async function move(world: FlowWorld, revision: string, names: string[], flawed: string[], more: Partial<ChangeSet> = {}): Promise<void> {
  Object.assign(world.force, { advisories: revision, changes: changeOf(names, more), flawed })
  await world.examinations.rematch(-1)
}

async function runJobs(world: FlowWorld, kinds: JobKind[] = ['inventory', 'examine', 'rematch']): Promise<void> {
  for (;;) {
    const claimed = await claimJobs(world.records, kinds, 4, world.clock.now)
    if (claimed.length === 0) return
    for (const job of claimed) {
      if (job.kind === 'examine') await world.examinations.examine(job.subject as Digest, job.id)
      else if (job.kind === 'rematch') await world.examinations.rematch(job.id)
      else {
        await world.inventories.of(job.subject as Digest)
        await world.records.write((tx) => tx.deleteFrom('jobs').where('id', '=', job.id).execute())
      }
    }
  }
}

async function decisions(world: FlowWorld, images: readonly Pushed[]): Promise<string[]> {
  const found: string[] = []
  for (const image of images) found.push(await decision(world, image))
  return found
}

async function rowsOf(world: FlowWorld, image: Pushed) {
  const { id } = await judgedOf(world, image)
  const row = await world.records.read
    .selectFrom('evidence')
    .select(['revision', 'advisory_revision', 'examined_at'])
    .where('manifest_id', '=', id)
    .executeTakeFirstOrThrow()
  return { ...row, verdict: await verdictOf(world, image) }
}

async function matches({ records }: FlowWorld): Promise<string[]> {
  const rows = await records.read
    .selectFrom('matches as m')
    .innerJoin('package_versions as p', 'p.id', 'm.package_version_id')
    .select(['p.name', 'p.version'])
    .orderBy('p.version')
    .execute()
  return rows.map((row) => `${row.name} ${row.version}`)
}
