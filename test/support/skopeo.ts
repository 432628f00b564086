import { join } from 'node:path'
import { type Client, readLogin } from './client.ts'
import { containersHome, type Trusted } from './containers.ts'
import { takeLayout } from './layout.ts'
import type { RunOptions } from './run.ts'

/** In: the suite's stack, and whom it trusts; without, it asks registries without TLS. Out: skopeo with a home of its own. */
export async function openSkopeo(stack: AsyncDisposableStack, ...trusted: Trusted[]): Promise<Client> {
  const home = await containersHome(stack, 'skopeo')
  for (const one of trusted) await home.trust(one)
  const verify = trusted.length > 0
  const skopeo = (args: readonly string[], options?: RunOptions) => home.run('skopeo', args, options)
  const pulled = join(home.folder, 'pulled')
  const copy = (from: string, to: string) =>
    skopeo(['copy', '--all', '--preserve-digests', `--src-tls-verify=${verify}`, `--dest-tls-verify=${verify}`, from, to])
  return {
    name: 'skopeo',
    keepsBytes: true,
    login: (host, { username, password }) =>
      skopeo(['login', `--tls-verify=${verify}`, '-u', username, '--password-stdin', host], { input: password }),
    keptLogin: (host) => readLogin(home.authFile, host),
    push: (image, reference) => copy(`oci:${image.layout}:${image.tag}`, `docker://${reference}`),
    pull: (reference) => copy(`docker://${reference}`, `oci:${pulled}:pulled`),
    takePulled: () => takeLayout(pulled),
    copy: (from, to) => copy(`docker://${from}`, `docker://${to}`),
    listTags: async (repository) => {
      const { code, stdout, output } = await skopeo(['list-tags', `--tls-verify=${verify}`, `docker://${repository}`])
      if (code !== 0) throw new Error(output)
      return (JSON.parse(stdout) as { Tags: string[] }).Tags
    },
    remove: (reference) => skopeo(['delete', `--tls-verify=${verify}`, `docker://${reference}`]),
  }
}
