// nginx and HAProxy in front of a server, with the configurations that docs/operations.md shows.

import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { blocksIn } from '../readme/blocks.ts'
import type { Authority } from '../support/authority.ts'
import { type Daemon, freePort, startDaemon } from '../support/daemon.ts'
import { checkout } from '../support/lazaret.ts'
import { scratch } from '../support/scratch.ts'

export type FrontKind = 'nginx' | 'haproxy'

export interface Front {
  /** `127.0.0.1:PORT`, by TLS. */
  host: string
  daemon: Daemon
}

interface FrontOptions {
  kind: FrontKind
  authority: Authority
  /** Where the server listens. */
  server: string
  /** Where the front listens, where that had to be known before. */
  port?: number
  /** What a test changes in the documented text. */
  change?: (text: string) => string
}

/** Out: the configuration of this kind, as the documents show it. */
export async function documented(kind: FrontKind): Promise<string> {
  const text = await readFile(join(checkout, 'docs', 'operations.md'), 'utf8')
  const found = blocksIn(text).filter(({ language }) => language === kind)
  if (found.length !== 1) throw new Error(`docs/operations.md has ${found.length} blocks for ${kind}`)
  return found[0]?.lines.join('\n') ?? ''
}

/** In: a documented text. Out: it without a word of who asked what: no X-Forwarded- header, and the proxy's own Host. */
export function withoutForwarded(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/X-Forwarded-|proxy_set_header Host/.test(line))
    .join('\n')
}

/** In: the suite's stack. Out: the front, ready, gone at the end. */
export async function startFront(stack: AsyncDisposableStack, options: FrontOptions): Promise<Front> {
  const port = options.port ?? (await freePort())
  const folder = await scratch(stack, options.kind)
  const file = join(folder, 'front.conf')
  await writeFile(file, await configurationOf(options, port, folder))
  const daemon = await startDaemon(stack, {
    command: options.kind,
    args: options.kind === 'nginx' ? ['-p', folder, '-e', 'stderr', '-c', file] : ['-db', '-f', file],
    ready: () => accepts(port),
  })
  return { host: `127.0.0.1:${port}`, daemon }
}

async function configurationOf({ kind, authority, server, change }: FrontOptions, port: number, folder: string): Promise<string> {
  const { cert, key, both } = await authority.issue('127.0.0.1', 'registry.example')
  const shown = await documented(kind)
  const placed = swapped(change === undefined ? shown : change(shown), [
    ['127.0.0.1:5000', server],
    ...(kind === 'nginx'
      ? ([
          ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
          ['/etc/ssl/registry.pem', cert],
          ['/etc/ssl/registry.key', key],
        ] as const)
      : ([
          ['bind :443 ssl', `bind 127.0.0.1:${port} ssl`],
          ['/etc/ssl/registry-and-key.pem', both],
        ] as const)),
  ])
  return kind === 'nginx' ? aroundNginx(placed, folder) : `global\n    log stderr format raw local0\n${placed}\n`
}

/** What Debian's own nginx.conf has around a site. */
function aroundNginx(site: string, folder: string): string {
  const kept = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `${what}_temp_path ${folder}/${what};`)
  return `user root;\ndaemon off;\nworker_processes 1;\npid ${folder}/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${kept.join('\n')}\n${site}\n}\n`
}

function swapped(text: string, pairs: readonly (readonly [string, string])[]): string {
  return pairs.reduce((done, [from, to]) => {
    if (!done.includes(from)) throw new Error(`the configuration has no ${from}`)
    return done.replace(from, to)
  }, text)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
