import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Client, readLogin } from './client.ts'
import { takeLayout } from './layout.ts'
import { type Outcome, run, type RunOptions } from './run.ts'
import { scratch } from './scratch.ts'

export interface Oras extends Client {
  oras: (args: readonly string[], options?: RunOptions) => Promise<Outcome>
}

/** In: the suite's stack. Out: oras with credentials of its own. */
export async function openOras(stack: AsyncDisposableStack): Promise<Oras> {
  const folder = await scratch(stack, 'oras')
  const pulled = join(folder, 'pulled')
  await mkdir(join(folder, 'docker'))
  const oras = (args: readonly string[], options: RunOptions = {}) =>
    run('oras', args, { cwd: folder, ...options, env: { DOCKER_CONFIG: join(folder, 'docker'), ORAS_CACHE: '', ...options.env } })
  return {
    name: 'oras',
    keepsBytes: true,
    oras,
    login: (host, { username, password }) => oras(['login', '--plain-http', host, '-u', username, '--password-stdin'], { input: password }),
    keptLogin: (host) => readLogin(join(folder, 'docker', 'config.json'), host),
    push: (image, reference) => oras(['cp', '--no-tty', '--from-oci-layout', '--to-plain-http', `${image.layout}:${image.tag}`, reference]),
    pull: (reference) => oras(['cp', '--no-tty', '--from-plain-http', '--to-oci-layout', reference, `${pulled}:pulled`]),
    takePulled: () => takeLayout(pulled),
    copy: (from, to) => oras(['cp', '--no-tty', '--from-plain-http', '--to-plain-http', from, to]),
    listTags: async (repository) => {
      const { code, stdout, output } = await oras(['repo', 'tags', '--plain-http', repository])
      if (code !== 0) throw new Error(output)
      return stdout.split('\n').filter((line) => line !== '')
    },
    remove: (reference) => oras(['manifest', 'delete', '--force', '--plain-http', reference]),
  }
}
