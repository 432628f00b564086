import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Verdict } from '../../model/verdict.ts'
import { getVerdict, putVerdict } from '../verdicts.ts'
import type { OpenRecords } from './records.ts'
import { openWorld, pushImage } from './world.ts'

const verdict: Verdict = {
  decision: 'deny',
  policy: 'balanced',
  policyRevision: 'abc',
  evidenceRevision: 3,
  judgedAt: '2027-01-15T08:00:00.000Z',
  validUntil: '2027-02-15T08:00:00.000Z',
  reasons: [{ effect: 'deny', rule: 'unreadable', severity: 'unknown', message: 'a\0b \ud800', remedy: 'r', evidence: { at: [1] } }],
}

export function verdictsSuite(implementation: string, open: OpenRecords): void {
  describe(`verdicts over ${implementation}`, () => {
    const stack = new AsyncDisposableStack()
    after(() => stack.disposeAsync())

    test('a verdict is of one place, and replaces the one before', async () => {
      const world = await openWorld(stack, open)
      const pushed = await pushImage(world, 'a')
      const id = (await world.manifests.byDigest('a', pushed.digest))?.id ?? 0
      const put = (given: Verdict) => world.records.write((tx) => putVerdict(tx, pushed.repositoryId, id, given))
      const get = () => getVerdict(world.records, pushed.repositoryId, id)
      assert.equal(await get(), undefined)
      await put(verdict)
      assert.deepEqual(await get(), verdict)
      const { validUntil: _, ...open_ended } = { ...verdict, decision: 'allow' as const, reasons: [] }
      await put(open_ended)
      assert.deepEqual(await get(), open_ended)
      assert.equal(await getVerdict(world.records, pushed.repositoryId + 1, id), undefined)
      assert.equal((await world.records.read.selectFrom('verdicts').select('decision').execute()).length, 1)
    })
  })
}
