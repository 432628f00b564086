import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Credentials } from './protocol.ts'
import { must, type Outcome, run, type RunOptions } from './run.ts'
import { scratch } from './scratch.ts'

export interface Cosign {
  cosign: (args: readonly string[], options?: RunOptions) => Promise<Outcome>
  login: (host: string, credentials: Credentials) => Promise<Outcome>
  /** Signs by digest with the key pair of this suite; no transparency log, no timestamp service, no network. */
  sign: (reference: string) => Promise<Outcome>
  verify: (reference: string) => Promise<Outcome>
}

/** In: the suite's stack. Out: cosign with a key pair and credentials of its own. */
export async function openCosign(stack: AsyncDisposableStack): Promise<Cosign> {
  const folder = await scratch(stack, 'cosign')
  await mkdir(join(folder, 'docker'))
  const env = { DOCKER_CONFIG: join(folder, 'docker'), COSIGN_PASSWORD: 'of-this-test', HOME: folder, TUF_ROOT: join(folder, 'tuf') }
  const cosign = (args: readonly string[], options: RunOptions = {}) =>
    run('cosign', args, { cwd: folder, ...options, env: { ...env, ...options.env } })
  await must('cosign', ['generate-key-pair'], { cwd: folder, env })
  await writeFile(
    join(folder, 'signing-config.json'),
    JSON.stringify({ mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json' }),
  )
  return {
    cosign,
    login: (host, { username, password }) => cosign(['login', host, '-u', username, '--password-stdin'], { input: password }),
    sign: (reference) =>
      cosign(['sign', '--yes', '--key', 'cosign.key', '--signing-config', 'signing-config.json', '--allow-http-registry', reference]),
    verify: (reference) =>
      cosign(['verify', '--key', 'cosign.pub', '--insecure-ignore-tlog', '--private-infrastructure', '--allow-http-registry', reference]),
  }
}
