import { join, relative } from 'node:path'
import { run } from 'node:test'
import type { EventData } from 'node:test'
import type { Suite } from './plan.ts'
import type { Outcome, Report } from './report.ts'

const keptOutput = 20_000

/** Runs the files of a suite by node's test runner, each in its own process, and hands the outcome to the report. */
export async function runSuite(root: string, suite: Suite, report: Report): Promise<void> {
  report.add(await outcomeOf(root, suite))
}

/** In: root and suite. Out: what passed, failed and was left out; a file in which nothing ran has failed. */
export async function outcomeOf(root: string, { name, files, concurrency, timeoutMs }: Suite): Promise<Outcome> {
  const started = performance.now()
  const outcome: Outcome = { name, passed: 0, failures: [], skipped: [], seconds: 0 }
  const printed = new Map<string, string>()
  /** Where in `failures` each file's last one stands: what the file printed goes under it. */
  const lastFailure = new Map<string, number>()
  const stop = new AbortController()
  const paths = files.map((file) => join(root, file))
  const stream = run({ files: paths, cwd: root, concurrency, timeout: timeoutMs, isolation: 'process', signal: stop.signal })
  const where = (data: { file?: string | undefined }): string => (data.file === undefined ? name : relative(root, data.file))
  const fail = (file: string, text: string): void => void lastFailure.set(file, outcome.failures.push(text) - 1)
  const keep = (data: { file?: string | undefined; message: string }): void => {
    printed.set(where(data), ((printed.get(where(data)) ?? '') + data.message).slice(-keptOutput))
  }
  stream.on('test:stdout', keep)
  stream.on('test:stderr', keep)
  stream.on('test:pass', (data) => {
    if (data.details.type === 'suite') return
    // A file that holds no test passes as a test of its own name.
    if (data.name === data.file) fail(where(data), `FAILED ${where(data)}: no test ran in it`)
    else if (data.skip === undefined || data.skip === false) outcome.passed++
    else outcome.skipped.push({ name: `${where(data)}: ${data.name}`, reason: data.skip === true ? 'no reason given' : data.skip })
  })
  stream.on('test:fail', (data) => {
    if (!isEchoOfInner(data)) fail(where(data), describeFailure(where(data), data))
  })
  await drained(stream, timeoutMs * 1.5, stop)
  for (const [file, text] of printed) {
    const at = lastFailure.get(file)
    if (at !== undefined) outcome.failures[at] += `\n--- printed by ${file}:\n${text}`
    const leftOut = text.split('\n').filter((line) => /left out/i.test(line))
    outcome.skipped.push(...leftOut.map((line) => ({ name: file, reason: line.trim() })))
  }
  outcome.seconds = (performance.now() - started) / 1000
  return outcome
}

/** Waits for the end. The runner's time limit is for tests; a file that leaves something open behind them is ended here. */
async function drained(stream: AsyncIterable<unknown>, idleMs: number, stop: AbortController): Promise<void> {
  const idle = setTimeout(() => stop.abort(new Error(`nothing happened for ${idleMs / 1000} s: a file does not end`)), idleMs)
  for await (const _event of stream) idle.refresh()
  clearTimeout(idle)
}

/** A group, or a file, fails with its inner tests: those are told by themselves. */
function isEchoOfInner(data: EventData.TestFail): boolean {
  const error = data.details.error as Error & { failureType?: string }
  return error.failureType === 'subtestsFailed'
}

function describeFailure(file: string, data: EventData.TestFail): string {
  const { error } = data.details
  const cause: unknown = error.cause ?? error
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
  const line = data.line === undefined ? '' : `:${data.line}`
  return `FAILED ${file}${line}: ${data.name}\n${withoutRunner(text)}`
}

function withoutRunner(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => !line.includes('node:internal/'))
    .join('\n')
}
