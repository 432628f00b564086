// The registries that are measured: Lazaret signed in and with its gate on, Distribution and nginx without either.
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { toolsFolder } from '../../scripts/prepare.ts'
import { basic, freePort, startLazaret, startServer, stopServer, type Server } from '../server.ts'
import { ask } from './client.ts'

export interface Peer {
  name: 'Lazaret' | 'Distribution' | 'nginx'
  server: Server
  origin: string
  authorization: string | undefined
}

export interface Peers {
  lazaret: Peer
  distribution: Peer
  /** Sends files as they lie on the disk; undefined where it is not installed. */
  nginx: Peer | undefined
  stop: () => Promise<void>
}

/** The names of an aged store, as its `age.json` counts them; Distribution gets them too. */
export interface AgedNames {
  large: string
  tags: string[]
  repositories: string[]
}

/** In: a folder to work in, one with files for nginx, and the copy of an aged store where there is one. */
export async function startPeers(folder: string, files: string, aged: { data: string; names: AgedNames } | undefined): Promise<Peers> {
  const started: Peer[] = []
  const stop = async () => void (await Promise.all(started.map(({ server }) => stopServer(server))))
  const add = (peer: Peer) => {
    started.push(peer)
    return peer
  }
  try {
    const distribution = add(await startDistribution(join(folder, 'distribution'), aged?.names))
    const lazaret = add(await startOurs(aged?.data ?? join(folder, 'lazaret')))
    const nginx = await startNginx(join(folder, 'nginx'), files)
    return { lazaret, distribution, nginx: nginx === undefined ? undefined : add(nginx), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startOurs(data: string): Promise<Peer> {
  const server = await startLazaret(data)
  const peer: Peer = { name: 'Lazaret', server, origin: server.origin, authorization: basic }
  try {
    await grantAll(peer)
    return peer
  } catch (error) {
    await stopServer(server)
    throw error
  }
}

/** A puller of what was just pushed would otherwise wait for its verdict. */
export async function grantAll(peer: Peer): Promise<void> {
  const body = Buffer.from(JSON.stringify({ name: 'admin', grants: ['read-quarantined=bench/**'] }))
  const answer = await ask(peer, 'POST', '/api/v1/users/grants', body, 'application/json')
  if (answer.status >= 300) throw new Error(`the grant was answered ${answer.status} ${answer.body}`)
}

async function startDistribution(folder: string, names: AgedNames | undefined): Promise<Peer> {
  mkdirSync(folder, { recursive: true })
  const root = join(folder, 'data')
  if (names !== undefined) layNames(join(root, 'docker', 'registry', 'v2', 'repositories'), names)
  const config = join(folder, 'config.json')
  const host = `127.0.0.1:${await freePort()}`
  const log = { level: 'error', accesslog: { disabled: true } }
  writeFileSync(config, JSON.stringify({ version: '0.1', log, storage: { filesystem: { rootdirectory: root } }, http: { addr: host } }))
  const env = { ...process.env, OTEL_TRACES_EXPORTER: 'none' }
  const server = await startServer([distributionProgram(), 'serve', config], `http://${host}`, '/v2/', env)
  return { name: 'Distribution', server, origin: server.origin, authorization: undefined }
}

/** Distribution lists a tag for each folder under `_manifests/tags`, and a repository for each folder with `_layers`. */
function layNames(root: string, { large, tags, repositories }: AgedNames): void {
  for (const name of repositories) mkdirSync(join(root, name, '_layers'), { recursive: true })
  const link = `sha256:${'0'.repeat(64)}`
  for (const tag of tags) {
    const current = join(root, large, '_manifests', 'tags', tag, 'current')
    mkdirSync(current, { recursive: true })
    writeFileSync(join(current, 'link'), link)
  }
}

function distributionProgram(): string {
  const installed = join(toolsFolder(), 'registry')
  return process.env['DISTRIBUTION_REGISTRY'] ?? (existsSync(installed) ? installed : 'registry')
}

async function startNginx(folder: string, files: string): Promise<Peer | undefined> {
  const program = ['/usr/sbin/nginx', '/usr/local/sbin/nginx'].find((path) => existsSync(path))
  if (program === undefined) return undefined
  mkdirSync(folder, { recursive: true })
  const port = await freePort()
  const config = join(folder, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder};`).join(' ')
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  writeFileSync(
    config,
    `${user} daemon off; worker_processes auto; pid ${folder}/pid; error_log stderr error;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; ${temporary}
  server { listen 127.0.0.1:${port}; root ${files}; location = /ready { return 200; } } }\n`,
  )
  const server = await startServer([program, '-c', config, '-p', folder], `http://127.0.0.1:${port}`, '/ready')
  return { name: 'nginx', server, origin: server.origin, authorization: undefined }
}

/** In: an aged store. Out: a copy beside it, whose blobs are the same files: nothing writes to a blob that is there. */
export async function copyAged(aged: string, copy: string): Promise<void> {
  await promisify(execFile)('cp', ['-al', aged, copy])
  for (const name of ['records.sqlite', 'keys', 'admin-password']) {
    if (!existsSync(join(aged, name))) continue
    await promisify(execFile)('rm', ['-rf', join(copy, name)])
    cpSync(join(aged, name), join(copy, name), { recursive: true })
  }
}
