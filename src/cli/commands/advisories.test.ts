// `lazaret advisories import` over every file of the shared data, as it is called; counts are checked against the files.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { scratch } from '../../../test/support/scratch.ts'
import type { AdvisoryStatus, ImportReport } from '../../flow/advisories/folder.ts'
import { run } from '../run.ts'
import { sharedData } from '../../../test/support/shared.ts'

const shared = sharedData('advisories')
const absent = existsSync(shared) ? false : 'left out: the shared advisories are not there'

/** Files of lines in the forms that are understood. */
const languages = ['ruby-advisory-db.jsonl.zst', 'friendsofphp.jsonl.zst', 'elixir-advisories.jsonl.zst', 'nodejs-security-wg.jsonl.zst']

test('advisories import: every line of every file is read, or is left out by name', { skip: absent }, async (t) => {
  await using stack = new AsyncDisposableStack()
  const data = await scratch(stack, 'import')
  const files = [...readdirSync(shared).filter((name) => name.endsWith('.osv.jsonl.zst')), ...languages, 'epss.csv.zst']
  const report = JSON.parse(
    await lazaret(data, ['advisories', 'import', '--format', 'json', ...files.map((file) => join(shared, file))]),
  ) as ImportReport
  for (const name of files) {
    const file = report.files.find(({ path }) => path === join(shared, name))
    assert.ok(file !== undefined, name)
    const left = file.dropped.reduce((sum, { count }) => sum + count, 0)
    t.diagnostic(`${name}: ${file.read + file.probabilities} read, ${left} left out`)
    assert.equal(file.read + file.probabilities + left, linesIn(name), name)
  }
  const status = JSON.parse(await lazaret(data, ['advisories', 'status', '--format', 'json'])) as AdvisoryStatus
  const counts = new Map(status.ecosystems.map(({ ecosystem, records }) => [ecosystem, records]))
  for (const [ecosystem, least] of [
    ['PyPI', 6800],
    ['Bitnami', 7444],
    ['Go', 4200],
    ['AlmaLinux:8', 3237],
    ['Packagist', 1684],
    ['RubyGems', 1254],
    ['crates.io', 1100],
    ['Maven', 440],
    ['Hex', 108],
    ['Hackage', 32],
    ['CRAN', 14],
  ] as const)
    assert.ok((counts.get(ecosystem) ?? 0) >= least, `${ecosystem}: ${counts.get(ecosystem)}`)
})

async function lazaret(data: string, args: string[]): Promise<string> {
  let [out, err] = ['', '']
  const code = await run(args, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    env: { LAZARET_DATA: data },
    cwd: data,
    stdin: Readable.from([]),
    columns: undefined,
  })
  assert.equal(code, 0, err)
  return out
}

function linesIn(name: string): number {
  const bytes = zstdDecompressSync(readFileSync(join(shared, name)))
  return bytes.toString('latin1').trimEnd().split('\n').length
}
