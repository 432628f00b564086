import { relative } from 'node:path'
import { run } from 'node:test'
import type { EventData } from 'node:test'
import type { Suite } from './plan.ts'
import type { Outcome, Report } from './report.ts'

const keptOutput = 20_000

/** Runs the files of a suite by node's test runner, each in its own process, and hands the outcome to the report. */
export async function runSuite(root: string, suite: Suite, report: Report): Promise<void> {
  report.add(await outcomeOf(root, suite))
}

/** In: root and suite. Out: what passed, failed and was left out; a suite in which nothing ran has failed. */
export async function outcomeOf(root: string, { name, files, concurrency, timeoutMs }: Suite): Promise<Outcome> {
  const started = performance.now()
  const outcome: Outcome = { name, passed: 0, failures: [], skipped: [], seconds: 0 }
  const printed = new Map<string, string>()
  const failedFiles = new Set<string>()
  const stream = run({ files: files.map((file) => `${root}/${file}`), cwd: root, concurrency, timeout: timeoutMs, isolation: 'process' })
  const where = (data: { file?: string | undefined }): string => (data.file === undefined ? name : relative(root, data.file))
  const keep = (data: { file?: string | undefined; message: string }): void => {
    printed.set(where(data), ((printed.get(where(data)) ?? '') + data.message).slice(-keptOutput))
  }
  stream.on('test:stdout', keep)
  stream.on('test:stderr', keep)
  stream.on('test:pass', (data) => {
    if (data.details.type === 'suite') return
    if (data.skip === undefined || data.skip === false) outcome.passed++
    else outcome.skipped.push({ name: `${where(data)}: ${data.name}`, reason: data.skip === true ? 'no reason given' : data.skip })
  })
  stream.on('test:fail', (data) => {
    if (isEchoOfInner(data)) return
    failedFiles.add(where(data))
    outcome.failures.push(describeFailure(where(data), data))
  })
  await drained(stream)
  for (const [file, text] of printed)
    if (failedFiles.has(file)) outcome.failures[outcome.failures.length - 1] += `\n--- printed by ${file}:\n${text}`
  for (const text of printed.values())
    for (const line of text.split('\n')) if (/left out/i.test(line)) outcome.skipped.push({ name, reason: line.trim() })
  if (outcome.passed + outcome.failures.length + outcome.skipped.length === 0)
    outcome.failures.push(`${name}: no tests ran in ${files.join(', ')}`)
  outcome.seconds = (performance.now() - started) / 1000
  return outcome
}

async function drained(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _event of stream);
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
