import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { installLinters } from '../../scripts/linters.ts'
import type { Report } from './report.ts'

interface Check {
  name: string
  /** Program and arguments. */
  command: [string, ...string[]]
  env?: Record<string, string>
}

/** Runs every static check: types, lint, format, dead code, rosters. A check that can't be run has failed. */
export async function runChecks(root: string, report: Report): Promise<void> {
  const bin = installLinters()
  for (const check of checksOf(root, bin)) await runCheck(root, check, report)
}

function checksOf(root: string, bin: string): Check[] {
  const node = process.execPath
  return [
    { name: 'types', command: [node, `${root}/node_modules/typescript/bin/tsc`, '-p', root] },
    {
      name: 'lint',
      command: [`${bin}/oxlint`, '--type-aware', '--deny-warnings', '--format=unix'],
      env: { OXLINT_TSGOLINT_PATH: `${bin}/tsgolint` },
    },
    { name: 'format', command: [`${bin}/biome`, 'format', '--reporter=summary', '.'] },
    { name: 'dead code', command: [node, `${root}/tools/node_modules/knip/bin/knip.js`, '--no-progress', '--no-config-hints'] },
    { name: 'rosters', command: [node, `${root}/scripts/generate.ts`, '--check'] },
    { name: 'documents', command: [node, `${root}/scripts/documents.ts`, '--check'] },
  ]
}

async function runCheck(root: string, { name, command, env }: Check, report: Report): Promise<void> {
  const started = performance.now()
  const { code, output } = await ended(root, command, env)
  const failures = code === 0 ? [] : [`FAILED ${name}: ${command.slice(existsSync(command[1] ?? '') ? 1 : 0).join(' ')}\n${output.trim()}`]
  report.add({ name, passed: code === 0 ? 1 : 0, failures, skipped: [], seconds: (performance.now() - started) / 1000 })
}

function ended(
  root: string,
  [program, ...args]: Check['command'],
  env: Record<string, string> = {},
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(0, 200_000)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (error) => resolve({ code: null, output: error.message }))
    child.on('close', (code) => resolve({ code, output }))
  })
}
