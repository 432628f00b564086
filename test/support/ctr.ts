import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Client, PulledImage } from './client.ts'
import { startContainerd } from './containerd.ts'
import type { Credentials } from './protocol.ts'
import { must, mustBytes, type Outcome, type RunOptions, run } from './run.ts'
import { scratch } from './scratch.ts'

export interface Ctr extends Client {
  ctr: (args: readonly string[], options?: RunOptions) => Promise<Outcome>
}

/** In: the suite's stack. Out: ctr with a containerd of its own. It keeps no login: the credentials go with each command. */
export async function openCtr(stack: AsyncDisposableStack): Promise<Ctr> {
  const { ctr, address } = await startContainerd(stack)
  const folder = await scratch(stack, 'ctr')
  const logins = new Map<string, Credentials>()
  const access = (reference: string) => {
    const login = logins.get(reference.slice(0, reference.indexOf('/')))
    return ['--plain-http', ...(login === undefined ? [] : ['--user', `${login.username}:${login.password}`])]
  }
  return {
    name: 'ctr',
    keepsBytes: true,
    ctr,
    login: (host, credentials) => {
      logins.set(host, credentials)
      return run('true', [])
    },
    keptLogin: async (host) => logins.get(host) ?? Promise.reject(new Error(`no login for ${host}`)),
    push: async (image, reference) => {
      const archive = join(folder, `${crypto.randomUUID()}.tar`)
      await must('tar', ['--create', '--file', archive, '--directory', image.layout, 'oci-layout', 'index.json', 'blobs'])
      succeeded(await ctr(['images', 'import', '--all-platforms', '--no-unpack', '--base-name', 'imported.example/image', archive]))
      succeeded(await ctr(['images', 'tag', `imported.example/image:${image.tag}`, reference]))
      const pushed = await ctr(['images', 'push', ...access(reference), reference])
      await forget(ctr)
      return pushed
    },
    // The pull unpacks for this machine's platform, without mounts; the fetch brings what is left of an index.
    pull: async (reference) => {
      const pulled = await ctr(['images', 'pull', '--snapshotter', 'native', ...access(reference), reference])
      return pulled.code === 0 ? ctr(['content', 'fetch', ...access(reference), '--all-platforms', reference]) : pulled
    },
    takePulled: async (reference) => {
      const pulled = await heldBy(ctr, address, reference)
      await forget(ctr)
      return pulled
    },
  }
}

async function heldBy(ctr: Ctr['ctr'], address: string, reference: string): Promise<PulledImage> {
  const listed = await ctr(['images', 'ls', `name==${reference}`])
  const digest = /sha256:[0-9a-f]{64}/.exec(listed.stdout)?.[0]
  if (digest === undefined) throw new Error(listed.output)
  const digests = (await ctr(['content', 'ls', '--quiet'])).stdout.split('\n').filter((line) => line !== '')
  for (const held of digests) await holdAgainstBytes(address, held)
  return { digest, digests: digests.toSorted() }
}

async function holdAgainstBytes(address: string, digest: string): Promise<void> {
  const bytes = await mustBytes('ctr', ['--address', address, '--namespace', 'lazaret', 'content', 'get', digest])
  const actual = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  if (actual !== digest) throw new Error(`containerd keeps ${digest} with the bytes of ${actual}`)
}

/** Images, and all content with them, so that the next pull has to fetch again. */
async function forget(ctr: Ctr['ctr']): Promise<void> {
  const names = (await ctr(['images', 'ls', '--quiet'])).stdout.split('\n').filter((line) => line !== '')
  if (names.length > 0) await ctr(['images', 'rm', '--sync', ...names])
  const left = (await ctr(['content', 'ls', '--quiet'])).stdout.split('\n').filter((line) => line !== '')
  if (left.length > 0) await ctr(['content', 'rm', ...left])
}

function succeeded(outcome: Outcome): void {
  if (outcome.code !== 0) throw new Error(`${outcome.command}\n${outcome.output}`)
}
