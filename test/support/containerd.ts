// containerd with its own root, state and socket, and `ctr` speaking to it.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Daemon, startDaemon } from './daemon.ts'
import { type Outcome, type RunOptions, run } from './run.ts'
import { scratch } from './scratch.ts'

export interface Containerd {
  daemon: Daemon
  address: string
  /** `ctr ARGS…` in its own namespace. */
  ctr: (args: readonly string[], options?: RunOptions) => Promise<Outcome>
}

/** In: the suite's stack. Out: a containerd that shares nothing with the machine's; gone at the end. */
export async function startContainerd(stack: AsyncDisposableStack): Promise<Containerd> {
  const folder = await scratch(stack, 'containerd')
  const address = join(folder, 'containerd.sock')
  const config = join(folder, 'config.toml')
  await writeFile(config, configOf(folder, address))
  const ctr = (args: readonly string[], options?: RunOptions) =>
    run('ctr', ['--address', address, '--namespace', 'lazaret', ...args], options)
  const ready = async () => (await ctr(['version'])).code === 0
  const daemon = await startDaemon(stack, { command: 'containerd', args: ['--config', config], ready })
  return { daemon, address, ctr }
}

// The CRI plug-in would want a network set-up; nothing here needs it.
function configOf(folder: string, address: string): string {
  return [
    'version = 2',
    `root = ${JSON.stringify(join(folder, 'root'))}`,
    `state = ${JSON.stringify(join(folder, 'state'))}`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]',
    '[grpc]',
    `  address = ${JSON.stringify(address)}`,
    '',
  ].join('\n')
}
