// dockerd without network and firewall rules, over its own containerd, and `docker` speaking to it.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startContainerd } from './containerd.ts'
import { type Daemon, startDaemon } from './daemon.ts'
import { type Outcome, type RunOptions, run } from './run.ts'
import { scratch } from './scratch.ts'

export interface Dockerd {
  daemon: Daemon
  /** `docker ARGS…` with the credentials that are kept in a folder. */
  docker: (configFolder: string, args: readonly string[], options?: RunOptions) => Promise<Outcome>
}

/** In: the suite's stack. Out: a dockerd that takes 127.0.0.0/8 as registries without TLS, as every dockerd does; gone at the end. */
export async function startDockerd(stack: AsyncDisposableStack): Promise<Dockerd> {
  const containerd = await startContainerd(stack)
  const folder = await scratch(stack, 'dockerd')
  const host = `unix://${join(folder, 'docker.sock')}`
  const daemon = await startDaemon(stack, {
    command: 'dockerd',
    args: await argumentsOf(folder, host, containerd.address),
    ready: () => answers(host),
  })
  const docker = (configFolder: string, args: readonly string[], options: RunOptions = {}) =>
    run('docker', args, { ...options, env: { DOCKER_HOST: host, DOCKER_CONFIG: configFolder, ...options.env } })
  return { daemon, docker }
}

async function argumentsOf(folder: string, host: string, containerd: string): Promise<string[]> {
  const config = join(folder, 'daemon.json')
  await writeFile(config, '{}')
  await mkdir(join(folder, 'exec'))
  const places = [
    `--data-root=${join(folder, 'data')}`,
    `--exec-root=${join(folder, 'exec')}`,
    `--pidfile=${join(folder, 'pid')}`,
    `--config-file=${config}`,
  ]
  return [...places, `--host=${host}`, `--containerd=${containerd}`, '--iptables=false', '--ip6tables=false', '--bridge=none']
}

async function answers(host: string): Promise<boolean> {
  return (await run('docker', ['version'], { env: { DOCKER_HOST: host } })).code === 0
}
