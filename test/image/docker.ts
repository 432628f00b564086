// The image in Docker: its daemon here has no networks of its own, so the container has the machine's.

import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../support/daemon.ts'
import { startDockerd } from '../support/dockerd.ts'
import type { Outcome } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'

/** In: the suite's stack and the archive that the build wrote. Throws where docker does not find the server healthy, or has to kill it. */
export async function expectInDocker(stack: AsyncDisposableStack, archive: string): Promise<void> {
  const engine = await startDockerd(stack)
  const config = join(await scratch(stack, 'docker-config'), 'config')
  await mkdir(config)
  const docker = async (...args: string[]): Promise<Outcome> => {
    const outcome = await engine.docker(config, args)
    assert.equal(outcome.code, 0, `docker ${args.join(' ')}\n${outcome.output}\n${engine.daemon.log().slice(-4000)}`)
    return outcome
  }
  assert.match((await docker('load', '--input', archive)).stdout, /Loaded image: localhost\/lazaret:/)
  const loaded = (await docker('image', 'ls', '--quiet', 'localhost/lazaret')).stdout.trim()
  const listen = `127.0.0.1:${await freePort()}`
  const hardened = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--volume=lazaret:/var/lib/lazaret']
  const here = ['--name=lazaret', '--network=host', `--env=LAZARET_LISTEN=${listen}`, '--health-interval=1s']
  await docker('run', '--detach', ...hardened, ...here, loaded)
  await untilFound(async () => (await docker('inspect', '--format={{.State.Health.Status}}', 'lazaret')).stdout.trim(), 'healthy')
  assert.match((await docker('exec', 'lazaret', 'lazaret', 'doctor')).stdout, /^Nothing is wrong\.$/m)
  await docker('stop', 'lazaret')
  assert.equal((await docker('inspect', '--format={{.State.ExitCode}}', 'lazaret')).stdout.trim(), '0', 'docker stop has to kill it')
  await docker('rm', '--volumes', 'lazaret')
  await docker('volume', 'rm', 'lazaret')
}

async function untilFound(look: () => Promise<string>, wanted: string): Promise<void> {
  const deadline = Date.now() + 60_000
  for (let found = await look(); found !== wanted; found = await look()) {
    if (Date.now() > deadline) throw new Error(`${found}, not ${wanted}, after a minute`)
    await sleep(200)
  }
}
