import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { planRun, type Suite } from './plan.ts'
import { type Outcome, Report } from './report.ts'

const outcome: Outcome = { name: 'src', passed: 2, failures: [], skipped: [], seconds: 1 }

test('a plan names every suite, the outside ones last', () => {
  using tree = new Tree({
    'src/a/x.test.ts': '',
    'src/a/x.ts': '',
    'scripts/s.test.ts': '',
    'test/clients/c.test.ts': '',
    'test/house/h.test.ts': '',
    'src/node_modules/p/p.test.ts': '',
  })
  const everything = planRun(tree.root, [])
  assert.deepEqual(
    everything.suites.map(({ name, files }) => [name, files]),
    [
      ['src', ['src/a/x.test.ts']],
      ['scripts', ['scripts/s.test.ts']],
      ['test/house', ['test/house/h.test.ts']],
      ['test/clients', ['test/clients/c.test.ts']],
    ],
  )
  assert.deepEqual([everything.checks, everything.prepares], [true, true])
  const some = planRun(tree.root, ['x.test'])
  assert.deepEqual([some.suites.length, some.checks, some.prepares], [1, false, false])
  assert.equal(planRun(tree.root, ['clients']).prepares, true)
  assert.equal(planRun(tree.root, [join(tree.root, 'src')]).suites[0]?.files.length, 1)
  assert.deepEqual(planRun(tree.root, ['lint']), { checks: true, prepares: false, suites: [] })
  assert.deepEqual(planRun(tree.root, ['no such file']).suites, [])
})

test('passes, failures, thrown files and what was left out are told apart', () => {
  using tree = new Tree({
    'a.test.ts':
      "import { test } from 'node:test'\ntest('good', () => {})\ntest('outer', async (t) => { await t.test('inner', () => { throw new Error('broken inside') }) })\ntest('later', { skip: 'no data here' }, () => {})\nconsole.log('suite over everything: left out, no ../shared/data')",
    'b.test.ts': "console.error('printed before the end')\nthrow new Error('does not even load')",
  })
  const { passed, failures, skipped } = tree.outcome(['a.test.ts', 'b.test.ts'])
  assert.equal(passed, 1)
  assert.equal(failures.length, 2)
  assert.match(failures[0] ?? '', /^FAILED a\.test\.ts:\d+: inner\nError: broken inside/)
  assert.match(failures[1] ?? '', /^FAILED b\.test\.ts[^]*printed before the end/)
  assert.match(failures[1] ?? '', /does not even load/)
  assert.deepEqual(
    skipped.map(({ reason }) => reason),
    ['no data here', 'suite over everything: left out, no ../shared/data'],
  )
})

test('a group whose preparation fails is told once, with the number of its tests', () => {
  using tree = new Tree({
    'g.test.ts':
      "import { before, suite, test } from 'node:test'\nsuite('g', () => {\nbefore(() => { throw new Error('no daemon') })\nfor (let n = 0; n < 5; n++) test(`t${n}`, () => {})\n})",
  })
  const { passed, failures } = tree.outcome(['g.test.ts'])
  assert.deepEqual([passed, failures.length], [0, 2])
  assert.match(failures[0] ?? '', /no daemon/)
  assert.equal(failures[1], 'FAILED g.test.ts: 5 tests did not run, as their group failed')
})

test('a file that runs no test, and one that never ends, have failed', () => {
  using tree = new Tree({
    'empty.test.ts': 'export {}',
    'hangs.test.ts': "import { test } from 'node:test'\ntest('waits', () => new Promise(() => setInterval(() => {}, 1000)))",
  })
  assert.match(tree.outcome(['empty.test.ts']).failures.join(), /no tests? ran/)
  assert.notEqual(tree.outcome(['hangs.test.ts'], 1500).failures.length, 0)
})

test('a file whose process ends badly says how', () => {
  using tree = new Tree({
    'killed.test.ts': "import { test } from 'node:test'\ntest('is killed', () => process.kill(process.pid, 'SIGKILL'))",
    'left.test.ts': "import { test } from 'node:test'\ntest('leaves', () => process.exit(7))",
  })
  assert.match(tree.outcome(['killed.test.ts']).failures.join(), /ended by SIGKILL/)
  assert.match(tree.outcome(['left.test.ts']).failures.join(), /ended with 7/)
})

test('the sum stands alone on the last line, and nothing run is no success', () => {
  assert.deepEqual(
    reported(false, (report) => report.add(outcome)),
    { fine: true, last: '2 passed, 0 failed' },
  )
  assert.deepEqual(
    reported(false, (report) => report.add({ ...outcome, failures: ['x'] })),
    { fine: false, last: '2 passed, 1 failed' },
  )
  assert.deepEqual(
    reported(false, () => {}),
    { fine: false, last: '0 passed, 0 failed' },
  )
})

test('what is missing fails in CI only; a collection beside the checkout may be absent there too', () => {
  const lacking = (report: Report): void => report.lacking([{ program: 'skopeo', suites: 'test/clients', why: 'needs root' }])
  const skipping = (reason: string) => (report: Report) => report.add({ ...outcome, skipped: [{ name: 'a', reason }] })
  for (const missing of [skipping('left out, missing here: oras'), (report: Report) => [skipping('fine')(report), lacking(report)]]) {
    assert.equal(reported(false, missing).fine, true)
    assert.equal(reported(true, missing).fine, false)
  }
  assert.equal(reported(true, skipping('left out: ../shared/data is not there')).fine, true)
  assert.equal(reported(true, skipping('left out: the shared vectors are not there')).fine, true)
})

function reported(isCi: boolean, use: (report: Report) => unknown): { fine: boolean; last: string } {
  const lines: string[] = []
  const report = new Report((line) => lines.push(line), isCi)
  use(report)
  const fine = report.close()
  return { fine, last: lines.at(-1) ?? '' }
}

class Tree implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'lazaret-tree-'))

  constructor(files: Record<string, string>) {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true })
      writeFileSync(join(this.root, path), text)
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true })
  }

  /** In a process of its own: node's runner does not run inside a test. */
  outcome(files: string[], timeoutMs = 20_000): Outcome {
    const suite: Suite = { name: 'tree', files, concurrency: 1, timeoutMs }
    const script = join(this.root, 'outcome.ts')
    writeFileSync(
      script,
      `import { outcomeOf } from ${JSON.stringify(join(import.meta.dirname, 'suite.ts'))}\nconsole.log(JSON.stringify(await outcomeOf(${JSON.stringify(this.root)}, ${JSON.stringify(suite)})))`,
    )
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8', env, timeout: 60_000 })
    assert.notEqual(stdout, '', stderr)
    return JSON.parse(stdout) as Outcome
  }
}
