import { join } from 'node:path'
import { run } from 'node:test'
import { Gathering } from './gathering.ts'
import type { Suite } from './plan.ts'
import type { Outcome, Report } from './report.ts'

/** Runs the files of a suite by node's test runner, each in its own process, and hands the outcome to the report. */
export async function runSuite(root: string, suite: Suite, report: Report): Promise<void> {
  report.add(await outcomeOf(root, suite))
}

/** In: root and suite. Out: what passed, failed and was left out; a file in which nothing ran has failed. */
export async function outcomeOf(root: string, { name, files, concurrency, timeoutMs }: Suite): Promise<Outcome> {
  const started = performance.now()
  const gathering = new Gathering(root, name)
  const stop = new AbortController()
  const paths = files.map((file) => join(root, file))
  const stream = run({ files: paths, cwd: root, concurrency, timeout: timeoutMs, isolation: 'process', signal: stop.signal })
  stream.on('test:stdout', (data) => gathering.printed(data))
  stream.on('test:stderr', (data) => gathering.printed(data))
  stream.on('test:pass', (data) => gathering.passed(data))
  stream.on('test:fail', (data) => gathering.failed(data))
  await drained(stream, timeoutMs * 1.5, stop)
  return gathering.outcome((performance.now() - started) / 1000)
}

/** Waits for the end. The runner's time limit is for tests; a file that leaves something open behind them is ended here. */
async function drained(stream: AsyncIterable<unknown>, idleMs: number, stop: AbortController): Promise<void> {
  const idle = setTimeout(() => stop.abort(new Error(`nothing happened for ${idleMs / 1000} s: a file does not end`)), idleMs)
  for await (const _event of stream) idle.refresh()
  clearTimeout(idle)
}
