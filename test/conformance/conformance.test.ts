// The suite of the OCI distribution-spec, run as its authors publish it.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse } from 'yaml'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { run } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import { readCases, readTotals } from './cases.ts'

/** How many results CNCF Distribution 3 gave: fewer would mean that the suite stopped early. */
const versions = [
  { version: '1.1', atLeast: 840 },
  { version: 'dev', atLeast: 980 },
]

/** What may be left out, by the name of the section or the end of the check's name, and why. */
const leftOut: Record<string, string> = {
  'Sparse Manifests': 'a manifest whose blobs are not there cannot be examined; the suite leaves it off by default as well',
}

describe('OCI conformance', { skip: lacking('conformance') }, () => {
  const stack = new AsyncDisposableStack()
  let server: Lazaret
  before(async () => void (server = await startLazaret(stack, { policy: 'observe' })))
  after(() => stack.disposeAsync())

  for (const { version, atLeast } of versions) {
    test(`version ${version}, signed in`, async (context) => {
      const folder = await scratch(stack, 'conformance')
      const outcome = await run('conformance', [], { env: environmentOf(server, version, folder), cwd: folder, timeoutMs: 300_000 })
      // It exits with 0 where its set-up fails: the files that it writes say whether it ran.
      const results = parse(await readFile(join(folder, 'results.yaml'), 'utf8')) as Results
      const xml = await readFile(join(folder, 'junit.xml'), 'utf8')
      const totals = readTotals(xml)
      context.diagnostic(`${version}: ${totals.tests} checks, ${totals.failures} failed, ${totals.skipped} skipped`)
      assert.equal(results.config.registry, server.host)
      assert.ok(totals.tests >= atLeast, `only ${totals.tests} checks ran\n${outcome.output.slice(-2000)}`)
      const others = readCases(xml).filter(({ name, status }) => status !== 'passed' && !(status === 'skipped' && reasonToSkip(name) !== undefined))
      assert.deepEqual(others, [])
      assert.deepEqual([totals.failures, totals.errors], [0, 0])
      assert.deepEqual(unexpected(results), [])
      assert.equal(outcome.code, 0, outcome.output.slice(-4000))
    })
  }
})

interface Results {
  config: { registry: string }
  apis: Record<string, string>
  data: Record<string, string>
}

/** Sections that neither passed nor may be left out. */
function unexpected(results: Results): string[] {
  const sections = [...Object.entries(results.apis), ...Object.entries(results.data)]
  assert.ok(sections.length > 40, `only ${sections.length} sections in results.yaml`)
  const isFine = ([name, status]: [string, string]) => status === 'Pass' || (status !== 'FAIL' && status !== 'Error' && leftOut[name] !== undefined)
  return sections.filter((section) => !isFine(section)).map(([name, status]) => `${name}: ${status}`)
}

function reasonToSkip(name: string): string | undefined {
  return Object.entries(leftOut).find(([end]) => name.endsWith(end))?.[1]
}

function environmentOf(server: Lazaret, version: string, folder: string): Record<string, string> {
  return {
    OCI_REGISTRY: server.host,
    OCI_TLS: 'disabled',
    OCI_REPO1: `shop/conformance-${version}/one`,
    OCI_REPO2: `shop/conformance-${version}/two`,
    OCI_USERNAME: server.developer.username,
    OCI_PASSWORD: server.developer.password,
    OCI_VERSION: version,
    OCI_RESULTS_DIR: folder,
    OCI_LOG: 'error',
  }
}
