import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { exportName, render } from './generate.ts'
import { rosters } from './rosters.ts'

for (const roster of rosters) {
  test(`${roster.file} names every plug-in of its folder`, async () => {
    assert.equal(await readFile(join(import.meta.dirname, '..', roster.file), 'utf8'), await render(roster))
  })
}

test('a folder without plug-ins, and a plug-in without its export, are errors', async () => {
  const roster = rosters[0]!
  await assert.rejects(render({ ...roster, folder: 'src/inventory/sbom/fixtures' }), /holds no plug-in/)
  await assert.rejects(render({ ...roster, folder: 'src/inventory/tar' }), /does not export a const/)
})

test('the export has the name of the file', () => {
  assert.deepEqual(['apk.ts', 'cisa-kev.ts', 'a-b-c.ts'].map(exportName), ['apk', 'cisaKev', 'aBC'])
})
