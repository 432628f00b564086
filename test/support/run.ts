// One program, run to its end, with a limit on time and on what it prints.

import { spawn } from 'node:child_process'
import { tool } from './tools.ts'

export interface Outcome {
  command: string
  code: number | null
  stdout: string
  stderr: string
  /** Both, for looking for a line wherever the program prints it. */
  output: string
}

export interface RunOptions {
  env?: Record<string, string>
  input?: string | Uint8Array
  cwd?: string
  timeoutMs?: number
  /** Of all that it prints. */
  limitBytes?: number
}

const usualLimitBytes = 64 * 1024 * 1024

/** In: a program's name or path, and its arguments. Out: how it ended, whatever the exit code. Throws where it can't start or takes too long. */
export async function run(name: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { stdout, ...rest } = await runBytes(name, args, options)
  const text = stdout.toString('utf8')
  return { ...rest, stdout: text, output: text + rest.stderr }
}

/** As `run`, and throws with all that the program printed where the exit code is not 0. */
export async function must(name: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const outcome = await run(name, args, options)
  if (outcome.code !== 0) throw new Error(`${outcome.command}\nexit code ${outcome.code}\n${outcome.output.slice(-8000)}`)
  return outcome
}

/** As `must`, for what is printed as bytes. Out: standard output. */
export async function mustBytes(name: string, args: readonly string[], options: RunOptions = {}): Promise<Buffer> {
  const outcome = await runBytes(name, args, options)
  if (outcome.code !== 0) throw new Error(`${outcome.command}\nexit code ${outcome.code}\n${outcome.stderr.slice(-8000)}`)
  return outcome.stdout
}

interface BytesOutcome {
  command: string
  code: number | null
  stdout: Buffer
  stderr: string
}

function runBytes(name: string, args: readonly string[], options: RunOptions): Promise<BytesOutcome> {
  const command = [name, ...args].join(' ')
  const timeoutMs = options.timeoutMs ?? 120_000
  const outputLimitBytes = options.limitBytes ?? usualLimitBytes
  const path = name.includes('/') ? name : tool(name)
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { env: { ...cleanEnvironment(), ...options.env }, cwd: options.cwd, stdio: ['pipe', 'pipe', 'pipe'] })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    let sizeBytes = 0
    let stopped: string | undefined
    const stop = (reason: string) => {
      stopped = reason
      child.kill('SIGKILL')
    }
    const timer = setTimeout(() => stop(`took more than ${timeoutMs} ms`), timeoutMs)
    const keep = (list: Buffer[]) => (chunk: Buffer) => {
      sizeBytes += chunk.length
      if (sizeBytes > outputLimitBytes) stop(`printed more than ${outputLimitBytes} bytes`)
      else list.push(chunk)
    }
    child.stdout.on('data', keep(stdout))
    child.stderr.on('data', keep(stderr))
    // A program that ends before it has read its input is judged by its exit code.
    child.stdin.on('error', (error: NodeJS.ErrnoException) => error.code !== 'EPIPE' && stop(error.message))
    child.stdin.end(options.input ?? '')
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      const errors = Buffer.concat(stderr).toString('utf8')
      if (stopped !== undefined) reject(new Error(`${command}\n${stopped}\n${errors.slice(-4000)}`))
      else resolve({ command, code, stdout: Buffer.concat(stdout), stderr: errors })
    })
  })
}

/** The environment without what would lead a program to this user's own registries, credentials or settings. */
export function cleanEnvironment(): Record<string, string> {
  const foreign =
    /^(LAZARET_|DOCKER_|CONTAINERS_|CONTAINERD_|REGISTRY_|COSIGN_|OCI_|PG|BUILDAH_|NODE_TEST_CONTEXT$|NODE_OPTIONS$|(https?|no|all)_proxy$)/i
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined && !foreign.test(entry[0])),
  )
}
