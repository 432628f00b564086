import { relative } from 'node:path'
import type { EventData } from 'node:test'
import type { Outcome, Skipped } from './report.ts'

const keptOutput = 20_000

interface FromFile {
  file?: string | undefined
}

/** Takes the events of node's test runner, and makes a suite's outcome of them. */
export class Gathering {
  #root: string
  #name: string
  #passed = 0
  #failures: string[] = []
  #skipped: Skipped[] = []
  #printed = new Map<string, string>()
  #cancelled = new Map<string, number>()
  /** Where in `failures` each file's last one stands: what the file printed goes under it. */
  #lastFailure = new Map<string, number>()

  constructor(root: string, name: string) {
    this.#root = root
    this.#name = name
  }

  printed(data: FromFile & { message: string }): void {
    const file = this.#fileOf(data)
    this.#printed.set(file, ((this.#printed.get(file) ?? '') + data.message).slice(-keptOutput))
  }

  passed(data: EventData.TestPass): void {
    if (data.details.type === 'suite') return
    // A file that holds no test passes as a test of its own name.
    if (data.name === data.file) this.#fail(this.#fileOf(data), `FAILED ${this.#fileOf(data)}: no test ran in it`)
    else if (data.skip === undefined || data.skip === false) this.#passed++
    else this.#skipped.push({ name: `${this.#fileOf(data)}: ${data.name}`, reason: data.skip === true ? 'no reason given' : data.skip })
  }

  failed(data: EventData.TestFail): void {
    const file = this.#fileOf(data)
    const { failureType } = data.details.error as Error & { failureType?: string }
    if (failureType === 'cancelledByParent') this.#cancelled.set(file, (this.#cancelled.get(file) ?? 0) + 1)
    // A group, or a file, fails with its inner tests: those are told by themselves.
    else if (failureType !== 'subtestsFailed') this.#fail(file, describeFailure(file, data))
  }

  outcome(seconds: number): Outcome {
    for (const [file, count] of this.#cancelled) this.#fail(file, `FAILED ${file}: ${count} tests did not run, as their group failed`)
    for (const [file, text] of this.#printed) {
      const at = this.#lastFailure.get(file)
      if (at !== undefined) this.#failures[at] += `\n--- printed by ${file}:\n${text}`
      const leftOut = text.split('\n').filter((line) => /left out/i.test(line))
      this.#skipped.push(...leftOut.map((line) => ({ name: file, reason: line.trim() })))
    }
    return { name: this.#name, passed: this.#passed, failures: this.#failures, skipped: this.#skipped, seconds }
  }

  #fail(file: string, text: string): void {
    this.#lastFailure.set(file, this.#failures.push(text) - 1)
  }

  #fileOf({ file }: FromFile): string {
    return file === undefined ? this.#name : relative(this.#root, file)
  }
}

function describeFailure(file: string, data: EventData.TestFail): string {
  const { error } = data.details
  const cause: unknown = error.cause ?? error
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
  const line = data.line === undefined ? '' : `:${data.line}`
  return `FAILED ${file}${line}: ${data.name}\n${withoutRunner(text)}${howItEnded(error)}`
}

/** Of a file whose process ended badly, where no test of it says why. */
function howItEnded(error: object): string {
  const { exitCode, signal } = error as { exitCode?: number | null; signal?: string | null }
  if (signal !== undefined && signal !== null) return `\nits process was ended by ${signal}`
  return exitCode === undefined || exitCode === null ? '' : `\nits process ended with ${exitCode}`
}

function withoutRunner(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => !line.includes('node:internal/'))
    .join('\n')
}
