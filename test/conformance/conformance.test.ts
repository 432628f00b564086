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

interface Version {
  version: string
  /** How many results CNCF Distribution 3 gave: far fewer would mean that the suite stopped early. */
  atLeast: number
  /** What may be left out, by the section's name or the end of a check's name, and why. */
  leftOut: Record<string, string>
}

const sparse = 'a manifest whose blobs are not there cannot be examined; the suite leaves it off by default as well'
const later = 'came after 1.1: the suite leaves it off for this version, and runs it for dev'

const versions: Version[] = [
  {
    version: '1.1',
    atLeast: 840,
    leftOut: {
      'Sparse Manifests': sparse,
      'Blob upload cancel': later,
      'blob-post-cancel': later,
      'Manifest put with tag params': later,
      'Tag Param': later,
      'Tag Param sha512': later,
    },
  },
  { version: 'dev', atLeast: 980, leftOut: { 'Sparse Manifests': sparse } },
]

describe('OCI conformance', { skip: lacking('conformance') }, () => {
  const stack = new AsyncDisposableStack()
  let server: Lazaret
  before(async () => void (server = await startLazaret(stack, { policy: 'observe' })))
  after(() => stack.disposeAsync())

  for (const { version, atLeast, leftOut } of versions) {
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
      const others = readCases(xml).filter(
        ({ name, status }) => status !== 'passed' && !(status === 'skipped' && mayBeLeftOut(name, leftOut)),
      )
      assert.deepEqual(others, [])
      assert.deepEqual([totals.failures, totals.errors], [0, 0])
      assert.deepEqual(unexpected(results, leftOut), [])
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
function unexpected(results: Results, leftOut: Version['leftOut']): string[] {
  const sections = [...Object.entries(results.apis), ...Object.entries(results.data)]
  assert.ok(sections.length > 40, `only ${sections.length} sections in results.yaml`)
  const isFine = ([name, status]: [string, string]) =>
    status === 'Pass' || (status !== 'FAIL' && status !== 'Error' && mayBeLeftOut(name, leftOut))
  return sections.filter((section) => !isFine(section)).map(([name, status]) => `${name}: ${status}`)
}

function mayBeLeftOut(name: string, leftOut: Version['leftOut']): boolean {
  return Object.keys(leftOut).some((end) => name.endsWith(end))
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
