import { spawn } from 'node:child_process'
import { LazaretError } from '../kit/errors.ts'
import type { Credentials, Env } from './docker-config.ts'

// docker/docker-credential-helpers: a program docker-credential-NAME with the verbs store, get and erase. It reads from standard
// input, writes JSON to standard output, and ends with 1 and words on standard output where it fails.

const mostBytes = 64 * 1024
const mostMs = 60_000
const notFound = 'credentials not found in native keychain'

/** Throws UNAVAILABLE where the helper is not installed or says no, with its words; never with what is to be stored. */
export async function storeByHelper(helper: string, host: string, { username, password }: Credentials, env: Env): Promise<void> {
  await must(helper, 'store', JSON.stringify({ ServerURL: host, Username: username, Secret: password }), env)
}

/** Out: undefined where it has none, or an identity token, which is of no use here. */
export async function getByHelper(helper: string, host: string, env: Env, withinMs = mostMs): Promise<Credentials | undefined> {
  const { code, text } = await run(helper, 'get', host, env, withinMs)
  if (code !== 0 && text.trim() === notFound) return undefined
  if (code !== 0) throw failed(helper, 'get', text)
  const { Username: username, Secret: password } = parsed(helper, text)
  if (typeof username !== 'string' || typeof password !== 'string')
    throw new LazaretError('UNAVAILABLE', `docker-credential-${helper} get gave no credentials`)
  return username === '' || username === '<token>' ? undefined : { username, password }
}

/** Out: whether there was something to erase, as far as the helper tells. */
export async function eraseByHelper(helper: string, host: string, env: Env): Promise<boolean> {
  const { code, text } = await run(helper, 'erase', host, env)
  if (code !== 0 && text.trim() === notFound) return false
  if (code !== 0) throw failed(helper, 'erase', text)
  return true
}

async function must(helper: string, verb: string, input: string, env: Env): Promise<void> {
  const { code, text } = await run(helper, verb, input, env)
  if (code !== 0) throw failed(helper, verb, text)
}

function run(helper: string, verb: string, input: string, env: Env, withinMs = mostMs): Promise<{ code: number | null; text: string }> {
  const program = `docker-credential-${helper}`
  return new Promise((resolve, reject) => {
    const child = spawn(program, [verb], { env: { ...env }, stdio: ['pipe', 'pipe', 'inherit'] })
    // What it has started may hold its output open for ever: nobody waits for that.
    const stop = (error: LazaretError) => {
      reject(error)
      child.kill('SIGKILL')
      child.stdout.destroy()
    }
    const timer = setTimeout(
      () => stop(new LazaretError('UNAVAILABLE', `${program} ${verb} took more than ${withinMs / 1000} s`)),
      withinMs,
    )
    const chunks: Buffer[] = []
    let size = 0
    child.once('error', (cause) => {
      clearTimeout(timer)
      reject(
        new LazaretError(
          'UNAVAILABLE',
          `${program}, which Docker's config.json names, can't be run (${(cause as NodeJS.ErrnoException).code ?? cause.message})`,
          { cause },
        ),
      )
    })
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= mostBytes) chunks.push(chunk)
      else stop(new LazaretError('UNAVAILABLE', `${program} ${verb} said more than ${mostBytes} bytes`))
    })
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code, text: Buffer.concat(chunks).toString('utf8') })
    })
    child.stdin.on('error', () => undefined) // it ended without reading: its exit code tells
    child.stdin.end(input)
  })
}

function failed(helper: string, verb: string, text: string): LazaretError {
  return new LazaretError(
    'UNAVAILABLE',
    `docker-credential-${helper} ${verb} failed${text.trim() === '' ? '' : `: ${text.trim().slice(0, 300)}`}`,
  )
}

function parsed(helper: string, text: string): Record<string, unknown> {
  try {
    return (JSON.parse(text) as Record<string, unknown> | null) ?? {}
  } catch (cause) {
    throw new LazaretError('UNAVAILABLE', `docker-credential-${helper} get gave no JSON`, { cause })
  }
}
