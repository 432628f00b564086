// A command on a terminal of 80 columns, and somebody who types what it asks for.

import { spawn } from 'node:child_process'
import { cleanEnvironment } from '../support/run.ts'
import { tool } from '../support/tools.ts'

export interface Typed {
  /** Typed once this was printed. */
  after: RegExp
  keys: string
}

/** In: a command line, its environment, and what is typed. Out: all that the terminal showed, and the exit code. Throws after 30 s. */
export function onTerminal(
  line: string,
  env: Record<string, string>,
  typed: readonly Typed[] = [],
): Promise<{ shown: string; code: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(tool('script'), ['--quiet', '--return', '--flush', '--command', `stty cols 80 rows 24 && ${line}`, '/dev/null'], {
      env: { ...cleanEnvironment(), TERM: 'xterm', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const left = [...typed]
    let shown = ''
    let unread = ''
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`${line} does not end; it showed:\n${shown}`))
    }, 30_000)
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString('utf8')
      unread += chunk.toString('utf8')
      const next = left[0]
      if (next === undefined || !next.after.test(unread)) return
      left.shift()
      unread = ''
      child.stdin.write(next.keys)
    })
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ shown: shown.replaceAll('\r\n', '\n'), code })
    })
  })
}
