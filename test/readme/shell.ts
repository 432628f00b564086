// A shell in which a document's commands are typed: one line after another, in the folder that the last `cd` led to.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cleanEnvironment, type Outcome, run } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'
import { tool } from '../support/tools.ts'

export interface Shell {
  /**
   * Types one line. With `password`, at a terminal (script(1)) on which it is typed when the line asks for one; without,
   * standard input is empty, so that a line which asks fails. Out: how it ended.
   */
  type: (command: string, password?: string) => Promise<Outcome>
  folder: () => string
}

const patienceMs = 120_000

/** In: the suite's stack, the folder to begin in, the environment on top of a clean one. */
export async function openShell(stack: AsyncDisposableStack, start: string, env: Record<string, string>): Promise<Shell> {
  const kept = join(await scratch(stack, 'shell'), 'folder')
  let folder = start
  return {
    folder: () => folder,
    async type(command, password) {
      const line = `${command}\nended=$?\npwd >'${kept}'\nexit $ended`
      const outcome =
        password === undefined ? await run('sh', ['-c', line], { env, cwd: folder }) : await atTerminal(line, password, env, folder)
      folder = readFileSync(kept, 'utf8').trimEnd()
      return { ...outcome, command }
    },
  }
}

/** Both streams are one on a terminal, and are told as standard output. Throws where nothing asks for the password, or in vain. */
function atTerminal(line: string, password: string, env: Record<string, string>, cwd: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(tool('script'), ['--quiet', '--return', '--flush', '--command', line, '/dev/null'], {
      env: { ...cleanEnvironment(), SHELL: '/bin/sh', TERM: 'dumb', ...env },
      cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let printed = ''
    let isAsked = false
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs)
    const keep = (chunk: Buffer) => {
      printed += chunk.toString('utf8').replaceAll('\r', '')
      if (isAsked || !/password[^\n]*: ?$/i.test(printed)) return
      isAsked = true
      child.stdin.write(`${password}\n`)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (signal !== null || !isAsked) reject(new Error(`${line}\n${signal ?? 'no password was asked for'}\n${printed.slice(-4000)}`))
      else resolve({ command: line, code, stdout: printed, stderr: '', output: printed })
    })
  })
}
