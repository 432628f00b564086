import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Client, type LocalImage, readLogin } from './client.ts'
import { takeLayout } from './layout.ts'
import { run, type RunOptions } from './run.ts'
import { scratch } from './scratch.ts'

/** In: the suite's stack, and the file of the only authority that it trusts. Out: crane with credentials of its own. It takes a loopback address for one without TLS. */
export async function openCrane(stack: AsyncDisposableStack, authority?: string): Promise<Client> {
  const folder = await scratch(stack, 'crane')
  const pulled = join(folder, 'pulled')
  await mkdir(join(folder, 'docker'))
  const trusting: Record<string, string> = authority === undefined ? {} : { SSL_CERT_FILE: authority }
  const crane = (args: readonly string[], options: RunOptions = {}) =>
    run('crane', args, { ...options, env: { DOCKER_CONFIG: join(folder, 'docker'), ...trusting, ...options.env } })
  return {
    name: 'crane',
    keepsBytes: true,
    login: (host, { username, password }) => crane(['auth', 'login', host, '-u', username, '--password-stdin'], { input: password }),
    keptLogin: (host) => readLogin(join(folder, 'docker', 'config.json'), host),
    push: async (image, reference) => {
      const root = image.content.manifests.get(image.content.root.digest)
      if (root === undefined || !isIndex(root.mediaType)) return crane(['push', image.layout, reference])
      return crane(['push', '--index', await layoutOfIndex(image, root.bytes, folder), reference])
    },
    pull: (reference) => crane(['pull', '--format=oci', reference, pulled]),
    takePulled: () => takeLayout(pulled),
    copy: (from, to) => crane(['copy', from, to]),
    listTags: async (repository) => {
      const { code, stdout, output } = await crane(['ls', repository])
      if (code !== 0) throw new Error(output)
      return stdout.split('\n').filter((line) => line !== '')
    },
    remove: (reference) => crane(['delete', reference]),
  }
}

function isIndex(mediaType: string): boolean {
  return mediaType.includes('index') || mediaType.includes('list')
}

/** `crane push --index` pushes the index.json of a layout itself: so the index takes its place. */
async function layoutOfIndex(image: LocalImage, index: Buffer, folder: string): Promise<string> {
  const layout = join(folder, crypto.randomUUID())
  await cp(image.layout, layout, { recursive: true })
  await writeFile(join(layout, 'index.json'), index)
  return layout
}
