// podman with a store and networks of its own, and the image of Lazaret built into it by the project's own script.

import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { containersHome } from '../support/containers.ts'
import { checkout } from '../support/lazaret.ts'
import { must, type Outcome, type RunOptions } from '../support/run.ts'

export interface Engine {
  env: Record<string, string>
  folder: string
  podman: (args: readonly string[], options?: RunOptions) => Promise<Outcome>
  /** As `podman`; throws where it ends with another code than 0. */
  mustPodman: (args: readonly string[], options?: RunOptions) => Promise<Outcome>
  /** Runs a container that is gone, with its volumes, at the end. Out: its name. */
  start: (args: readonly string[]) => Promise<string>
}

/** Nothing but the volume can be written, and nothing may be done that a user could not do. */
export const hardened = ['--read-only', '--read-only-tmpfs=false', '--cap-drop=ALL', '--security-opt=no-new-privileges']

export const image = 'localhost/lazaret:latest'

/** In: the suite's stack. Out: an engine whose containers, networks and images are gone at the end. */
export async function openEngine(stack: AsyncDisposableStack): Promise<Engine> {
  const home = await containersHome(stack, 'image')
  await appendFile(home.env['CONTAINERS_CONF'] ?? '', await engineSettings(home.folder))
  const podman = (args: readonly string[], options?: RunOptions) => home.run('podman', args, options)
  const mustPodman = (args: readonly string[], options: RunOptions = {}) =>
    must('podman', args, { ...options, env: { ...home.env, ...options.env } })
  const start = async (args: readonly string[]): Promise<string> => {
    const name = `lazaret-test-${crypto.randomUUID().slice(0, 8)}`
    stack.defer(async () => void (await podman(['rm', '--force', '--volumes', '--time=0', name])))
    await mustPodman(['run', '--detach', `--name=${name}`, ...args])
    return name
  }
  return { env: home.env, folder: home.folder, podman, mustPodman, start }
}

/** runc, as crun knows no mixed cgroups, and limits that this process itself is under: more can't be given everywhere. */
async function engineSettings(folder: string): Promise<string> {
  const networks = join(folder, 'networks')
  await mkdir(networks)
  const files = Math.min(await hardLimit('open files'), 16_384)
  const processes = Math.min(await hardLimit('processes'), 16_384)
  return [
    'runtime = "runc"',
    '[network]',
    `network_config_dir = "${networks}"`,
    '[containers]',
    `default_ulimits = ["nofile=${files}:${files}", "nproc=${processes}:${processes}"]`,
    '',
  ].join('\n')
}

async function hardLimit(what: string): Promise<number> {
  const [, hard] = new RegExp(`^Max ${what} +\\S+ +(\\S+)`, 'm').exec(await readFile('/proc/self/limits', 'utf8')) ?? []
  return hard === 'unlimited' ? Infinity : Number(hard)
}

/** `npm run image`, under another umask and time zone where asked. Out: what it printed. */
export function buildImage({ env }: Engine, umask: '022' | '077', timeZone: string, ...args: string[]): Promise<Outcome> {
  // The home stays: npm has its cache and its settings there.
  const { HOME: _home, XDG_CONFIG_HOME: _config, ...store } = env
  const script = `umask ${umask}; exec sh bin/run scripts/image.ts "$@"`
  return must('sh', ['-c', script, 'sh', ...args], { cwd: checkout, env: { ...store, TZ: timeZone }, timeoutMs: 300_000 })
}

/** Runs the image's own health check until it passes. Throws with the container's log where it ends, or takes too long. */
export async function untilHealthy({ podman }: Engine, name: string): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const { code, output } = await podman(['healthcheck', 'run', name])
    if (code === 0) return
    const state = await podman(['inspect', '--format={{.State.Status}}', name])
    if (state.stdout.trim() !== 'running' || Date.now() > deadline)
      throw new Error(`${name} is ${state.output.trim()}: ${output}\n${(await podman(['logs', name])).output.slice(-4000)}`)
    await sleep(200)
  }
}
