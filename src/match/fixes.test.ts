// Fix versions by their law, over worlds of ranges: above what is installed, named by a record, and cured by every record.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Advisory } from '../model/advisory.ts'
import { orderFor } from '../versions/compare.ts'
import { isAnyAffected } from './hit.ts'
import { matchPackageVersion } from './match.ts'
import { advisory, affects, readerOf } from './reader.testing.ts'

const worlds = ['npm', 'Debian:12', 'RubyGems', 'Packagist', 'NuGet', 'PyPI']

function versionIn(world: string, major: number, minor: number): string {
  return world === 'Debian:12' ? `${major}.${minor}-1` : world === 'NuGet' ? `${major}.${minor}.0.1` : `${major}.${minor}.0`
}

const number = fc.tuple(fc.nat(4), fc.nat(6))
const record = fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 3 })

test('fixes: never below what is installed, always one that a record names, and one that no record of the flaw calls affected', () => {
  fc.assert(
    fc.property(fc.constantFrom(...worlds), fc.array(record, { minLength: 1, maxLength: 3 }), number, (world, records, [major, minor]) => {
      const compare = orderFor(world)!
      const installed = versionIn(world, major, minor)
      const advisories = records.map((ranges, at): Advisory => {
        const texts = ranges.map(([from, to]) => `introduced ${versionIn(world, ...from)}, fixed ${versionIn(world, ...to)}`)
        return advisory(`X-${at}`, [affects(world, 'a', ...texts)], { aliases: ['CVE-2024-1'] })
      })
      const [finding, ...more] = matchPackageVersion({ ecosystem: world, name: 'a', version: installed }, readerOf({ advisories }))
      assert.deepEqual(more, [])
      if (finding?.fixedVersion === undefined) return
      const hits = advisories.filter(({ id }) => finding.sources.some((source) => source.id === id))
      const named = hits.flatMap(({ affected }) =>
        affected.flatMap(({ ranges }) =>
          ranges.flatMap(({ events }) => events.flatMap((event) => ('fixed' in event ? [event.fixed] : []))),
        ),
      )
      assert.equal(compare(finding.fixedVersion, installed), 1, `${finding.fixedVersion} is no upgrade of ${installed}`)
      assert.ok(named.includes(finding.fixedVersion))
      const isCure = (version: string) => hits.every(({ affected }) => isAnyAffected(version, affected, compare) === false)
      assert.ok(isCure(finding.fixedVersion), `${finding.fixedVersion} is affected itself`)
      for (const other of named)
        if (compare(other, installed) === 1 && isCure(other))
          assert.notEqual(compare(other, finding.fixedVersion), -1, `${other} is nearer`)
    }),
    { numRuns: 3000 },
  )
})
