import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Client, readLogin } from './client.ts'
import { containersHome } from './containers.ts'
import { startDockerd } from './dockerd.ts'
import type { Outcome, RunOptions } from './run.ts'
import { scratch } from './scratch.ts'

export interface Docker extends Client {
  docker: (args: readonly string[], options?: RunOptions) => Promise<Outcome>
}

/** In: the suite's stack. Out: docker with a daemon, a store and credentials of its own. Skopeo packs layouts into the archive that `docker load` takes. */
export async function openDocker(stack: AsyncDisposableStack): Promise<Docker> {
  const engine = await startDockerd(stack)
  const packer = await containersHome(stack, 'docker-archive')
  const folder = await scratch(stack, 'docker')
  await mkdir(join(folder, 'config'))
  const docker = (args: readonly string[], options?: RunOptions) => engine.docker(join(folder, 'config'), args, options)
  const inspect = async (reference: string): Promise<{ Id: string; RepoDigests: string[] }> => {
    const { code, stdout, output } = await docker(['image', 'inspect', '--format', '{{json .}}', reference])
    if (code !== 0) throw new Error(output)
    return JSON.parse(stdout) as { Id: string; RepoDigests: string[] }
  }
  const load = async (layout: string, tag: string, reference: string) => {
    const archive = join(folder, `${crypto.randomUUID()}.tar`)
    for (const step of [
      () => packer.run('skopeo', ['copy', `oci:${layout}:${tag}`, `docker-archive:${archive}:${reference}`]),
      () => docker(['load', '--input', archive]),
    ]) {
      const { code, output } = await step()
      if (code !== 0) throw new Error(output)
    }
  }
  return {
    name: 'docker',
    keepsBytes: false,
    docker,
    login: (host, { username, password }) => docker(['login', '-u', username, '--password-stdin', host], { input: password }),
    keptLogin: (host) => readLogin(join(folder, 'config', 'config.json'), host),
    push: async (image, reference) => {
      await load(image.layout, image.tag, reference)
      const pushed = await docker(['push', reference])
      await docker(['image', 'rm', '--force', reference])
      return pushed
    },
    pull: (reference) => docker(['pull', reference]),
    takePulled: async (reference) => {
      const { Id: imageId, RepoDigests } = await inspect(reference)
      const name = reference.replace(/[:@][^/]*$/, '')
      const digest = RepoDigests.find((entry) => entry.startsWith(`${name}@`))?.slice(name.length + 1) ?? ''
      await docker(['image', 'rm', '--force', imageId])
      return { digest, imageId }
    },
  }
}
