import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { launcher } from './lazaret.ts'
import type { Credentials } from './protocol.ts'
import { type Outcome, run } from './run.ts'
import { scratch } from './scratch.ts'

export interface Scanner {
  /** By crane, so that what another client keeps is what `lazaret scan` reads. */
  login: (host: string, credentials: Credentials) => Promise<Outcome>
  /** `lazaret scan ARGS…`, which knows of no server. */
  scan: (args: readonly string[]) => Promise<Outcome>
}

/** In: the suite's stack. Out: `lazaret scan` with a Docker configuration, a cache and a working folder of its own. */
export async function openScanner(stack: AsyncDisposableStack): Promise<Scanner> {
  const folder = await scratch(stack, 'scanner')
  await mkdir(join(folder, 'docker'))
  const env = { DOCKER_CONFIG: join(folder, 'docker'), XDG_CACHE_HOME: join(folder, 'cache'), XDG_CONFIG_HOME: join(folder, 'config') }
  return {
    login: (host, { username, password }) =>
      run('crane', ['auth', 'login', host, '-u', username, '--password-stdin'], { input: password, env }),
    scan: (args) => run(launcher, ['scan', ...args], { cwd: folder, env }),
  }
}
