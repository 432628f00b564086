import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLog } from '../../kit/log.ts'
import { type AgeParts, oldSources, sayOldSources } from './old-sources.ts'

const source = (name: string, ageDays: number, records = 1) => ({ source: name, ageDays, records, newest: '2026-01-01T00:00:00Z' })

function said(advisories: AgeParts['advisories']): Record<string, unknown>[] {
  const lines: string[] = []
  sayOldSources({
    advisories,
    settings: { policy: 'balanced' },
    log: createLog({ level: 'info', write: (line) => lines.push(line), pretty: false }),
  })
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

const saidOf = (...sources: ReturnType<typeof source>[]) => said(() => ({ status: () => ({ sources }) }))

test('one line at warn names each old source with its age, the oldest first, and the command', () => {
  const lines = saidOf(source('osv', 93), source('debian', 1), source('wolfi', 565), source('alpine', 31))
  assert.equal(lines.length, 1)
  assert.equal(lines[0]?.['level'], 'warn')
  assert.equal(
    lines[0]?.['msg'],
    'advisories older than 30 days judge images: wolfi 565 days, osv 93 days, alpine 31 days. Bring newer ones: lazaret advisories import',
  )
  assert.deepEqual(lines[0]?.['sources'], [
    { source: 'wolfi', ageDays: 565 },
    { source: 'osv', ageDays: 93 },
    { source: 'alpine', ageDays: 31 },
  ])
})

test('nothing is said of what is 30 days old, of what judges nothing, and of no sources', () => {
  assert.deepEqual(saidOf(source('osv', 30), source('gone', 900, 0)), [])
  assert.deepEqual(saidOf(), [])
})

test('where the status can not be read that is said, as an error', () => {
  const [line] = said(() => {
    throw new Error('the pointer is damaged')
  })
  assert.deepEqual([line?.['level'], line?.['problem']], ['error', 'the pointer is damaged'])
})

test('exactly those beyond the limit, in order', () => {
  const sources = fc.array(fc.tuple(fc.string(), fc.nat(4000), fc.nat(3)).map(([name, age, records]) => source(name, age, records)))
  fc.assert(
    fc.property(sources, fc.nat(400), (all, most) => {
      const old = oldSources({ sources: all }, most)
      assert.equal(old.length, all.filter(({ ageDays, records }) => ageDays > most && records > 0).length)
      assert.ok(old.every(({ ageDays }, at) => ageDays > most && (at === 0 || ageDays <= (old[at - 1]?.ageDays ?? 0))))
    }),
  )
})
