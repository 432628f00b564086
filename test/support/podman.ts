import type { Client } from './client.ts'
import { readLogin } from './client.ts'
import { containersHome, type Trusted } from './containers.ts'
import type { Outcome, RunOptions } from './run.ts'

export interface Podman extends Client {
  podman: (args: readonly string[], options?: RunOptions) => Promise<Outcome>
}

/** In: the suite's stack, which of the two programs that share this form, and whom it trusts, as for skopeo. Out: it, with a store of its own. */
export async function openPodman(
  stack: AsyncDisposableStack,
  program: 'podman' | 'buildah' = 'podman',
  ...trusted: Trusted[]
): Promise<Podman> {
  const home = await containersHome(stack, program)
  for (const one of trusted) await home.trust(one)
  const verify = `--tls-verify=${trusted.length > 0}`
  const podman = (args: readonly string[], options?: RunOptions) => home.run(program, args, options)
  const inStore = async (reference: string): Promise<{ id: string; digest: string }> => {
    const { code, stdout, output } = await podman(['images', '--no-trunc', '--digests', '--format', '{{.ID}} {{.Digest}}', reference])
    const [id, digest] = stdout.trim().split(/\s+/)
    if (code !== 0 || id === undefined || digest === undefined) throw new Error(output)
    return { id: id.startsWith('sha256:') ? id : `sha256:${id}`, digest }
  }
  return {
    name: program,
    keepsBytes: false,
    podman,
    login: (host, { username, password }) => podman(['login', verify, '-u', username, '--password-stdin', host], { input: password }),
    keptLogin: (host) => readLogin(home.authFile, host),
    push: async (image, reference) => {
      const loaded = await podman(['pull', '--quiet', `oci:${image.layout}:${image.tag}`])
      if (loaded.code !== 0) throw new Error(loaded.output)
      const pushed = await podman(['push', verify, loaded.stdout.trim().split('\n').at(-1) ?? '', `docker://${reference}`])
      await podman(['rmi', '--all', '--force'])
      return pushed
    },
    pull: (reference) => podman(['pull', verify, reference]),
    takePulled: async (reference) => {
      const { id, digest } = await inStore(reference)
      await podman(['rmi', '--all', '--force'])
      return { digest, imageId: id }
    },
  }
}
