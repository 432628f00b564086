import type { Missing } from '../../scripts/prepare.ts'

export interface Skipped {
  /** File and test. */
  name: string
  reason: string
}

/** A suite that ended. */
export interface Outcome {
  name: string
  passed: number
  /** What each failure has to say, in full. */
  failures: string[]
  skipped: Skipped[]
  seconds: number
}

/** Writes a line per suite, failures in full, and at the end what was left out and the sum, alone on its line. */
export class Report {
  #write: (line: string) => void
  #isCi: boolean
  #outcomes: Outcome[] = []
  #started = performance.now()

  constructor(write: (line: string) => void, isCi: boolean) {
    this.#write = write
    this.#isCi = isCi
  }

  add(outcome: Outcome): void {
    const failures = this.#isCi
      ? [...outcome.failures, ...outcome.skipped.filter(isMissing).map(({ name, reason }) => `${name}: ${reason}`)]
      : outcome.failures
    this.#outcomes.push({ ...outcome, failures })
    for (const failure of failures) this.#write(failure.replaceAll(/^/gm, '  ').trimEnd())
    const counts = [`${outcome.passed} passed`, ...counted(failures, 'failed'), ...counted(outcome.skipped, 'left out')].join(', ')
    this.#write(
      `${failures.length === 0 ? 'ok  ' : 'FAIL'} ${outcome.name.padEnd(20)} ${counts.padEnd(24)} ${outcome.seconds.toFixed(1).padStart(6)} s`,
    )
  }

  /** Programs that could not be had: a failure in CI, a note elsewhere. */
  lacking(missing: Missing[]): void {
    for (const { program, suites, why } of missing) this.#write(`missing: ${program} (${suites} left out): ${why}`)
    if (this.#isCi && missing.length > 0)
      this.#outcomes.push({ name: 'prepare', passed: 0, failures: missing.map(({ program }) => program), skipped: [], seconds: 0 })
  }

  /** Out: whether everything passed, and something did. */
  close(): boolean {
    for (const { name, reason } of this.#outcomes.flatMap((outcome) => outcome.skipped)) this.#write(`left out: ${name}: ${reason}`)
    const passed = this.#outcomes.reduce((sum, outcome) => sum + outcome.passed, 0)
    const failed = this.#outcomes.reduce((sum, outcome) => sum + outcome.failures.length, 0)
    const broken = this.#outcomes.filter(({ failures }) => failures.length > 0).map(({ name }) => name)
    if (passed + failed === 0) this.#write('no tests ran')
    if (broken.length > 0) this.#write(`failed in: ${broken.join(', ')}`)
    this.#write(`all suites in ${((performance.now() - this.#started) / 1000).toFixed(1)} s`)
    this.#write(`${passed} passed, ${failed} failed`)
    return failed === 0 && passed > 0
  }
}

/** The collection in ../shared/data is beside some checkouts only, in CI too; a program can be had everywhere. */
function isMissing({ reason }: Skipped): boolean {
  return /missing|not installed|not found|not there/i.test(reason) && !/\bshared\b/.test(reason)
}

function counted(list: unknown[], word: string): string[] {
  return list.length === 0 ? [] : [`${list.length} ${word}`]
}
