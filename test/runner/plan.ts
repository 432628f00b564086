import { globSync } from 'node:fs'
import { relative, resolve, sep } from 'node:path'

export interface Suite {
  name: string
  /** Relative to the root. */
  files: string[]
  concurrency: number
  /** Of one test. */
  timeoutMs: number
}

export interface Plan {
  /** Whether the static checks run. */
  checks: boolean
  /** Whether programs that tests drive are installed first. */
  prepares: boolean
  suites: Suite[]
}

/**
 * In: the checkout and the patterns asked for (none for everything; `lint` for the checks alone). Out: what will run, in order:
 * checks, the code's own tests, the house's, then each other folder of test/, where programs from outside take part.
 */
export function planRun(root: string, patterns: readonly string[]): Plan {
  if (patterns.length === 1 && patterns[0] === 'lint') return { checks: true, prepares: false, suites: [] }
  const files = testFiles(root).filter((file) => patterns.length === 0 || patterns.some((pattern) => matches(root, file, pattern)))
  const names = [...new Set(files.map(suiteOf))].sort(bySpeed)
  return {
    checks: patterns.length === 0,
    prepares: patterns.length === 0 || names.some(isOutside),
    suites: names.map((name) => ({
      name,
      files: files.filter((file) => suiteOf(file) === name),
      concurrency: name === 'test/conformance' ? 1 : 2,
      timeoutMs: isOutside(name) ? 600_000 : 120_000,
    })),
  }
}

function testFiles(root: string): string[] {
  return globSync('{src,test,scripts,ui}/**/*.test.ts', { cwd: root, exclude: (path) => path.split(sep).includes('node_modules') }).sort()
}

/** A pattern is part of the path from the root, or the path itself as a shell in any folder completes it. */
function matches(root: string, file: string, pattern: string): boolean {
  const asPath = relative(root, resolve(pattern))
  return file.includes(pattern) || file === asPath || file.startsWith(`${asPath}${sep}`)
}

function suiteOf(file: string): string {
  const parts = file.split(sep)
  if (parts[0] !== 'test') return parts[0] ?? file
  return parts.length > 2 ? `test/${parts[1]}` : 'test'
}

function isOutside(name: string): boolean {
  return name.startsWith('test/') && name !== 'test/house' && name !== 'test/runner'
}

function bySpeed(a: string, b: string): number {
  const rank = (name: string): number => (isOutside(name) ? 2 : name === 'src' ? 0 : 1)
  return rank(a) - rank(b) || a.localeCompare(b)
}
