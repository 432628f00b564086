// Installs the programs that tests drive and npm does not bring: where it runs as root on Debian by apt, and with a Go of at
// least 1.26 by `go install`. Elsewhere it names what is lacking. Run by `npm test`; alone: `bin/run scripts/prepare.ts`.

import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

interface Program {
  name: string
  from: { apt: string } | { go: string } | { folder: string }
  /** The suites that are left out without it. */
  suites: string
}

export interface Missing {
  program: string
  suites: string
  why: string
}

const programs: Program[] = [
  { name: 'skopeo', from: { apt: 'skopeo' }, suites: 'test/clients' },
  { name: 'podman', from: { apt: 'podman' }, suites: 'test/clients' },
  { name: 'buildah', from: { apt: 'buildah' }, suites: 'test/clients' },
  { name: 'dockerd', from: { apt: 'docker.io' }, suites: 'test/clients' },
  { name: 'docker', from: { apt: 'docker.io' }, suites: 'test/clients' },
  { name: 'containerd', from: { apt: 'containerd' }, suites: 'test/clients' },
  { name: 'ctr', from: { apt: 'containerd' }, suites: 'test/clients' },
  { name: 'runc', from: { apt: 'runc' }, suites: 'test/clients' },
  { name: 'crun', from: { apt: 'crun' }, suites: 'test/clients' },
  { name: 'newuidmap', from: { apt: 'uidmap' }, suites: 'test/clients' },
  { name: 'fuse-overlayfs', from: { apt: 'fuse-overlayfs' }, suites: 'test/clients' },
  { name: 'portmap', from: { apt: 'containernetworking-plugins' }, suites: 'test/image' },
  { name: 'iptables', from: { apt: 'iptables' }, suites: 'test/image' },
  { name: 'podman-compose', from: { apt: 'podman-compose' }, suites: 'test/image' },
  { name: 'zstd', from: { apt: 'zstd' }, suites: 'test/clients' },
  { name: 'debootstrap', from: { apt: 'debootstrap' }, suites: 'test/clients' },
  { name: 'curl', from: { apt: 'curl' }, suites: 'test/readme' },
  { name: 'script', from: { apt: 'bsdutils' }, suites: 'test/readme' },
  { name: 'postgres', from: { apt: 'postgresql' }, suites: 'records on PostgreSQL' },
  { name: 'initdb', from: { apt: 'postgresql' }, suites: 'records on PostgreSQL' },
  { name: 'openssl', from: { apt: 'openssl' }, suites: 'TLS' },
  { name: 'nginx', from: { apt: 'nginx' }, suites: 'test/proxies' },
  { name: 'haproxy', from: { apt: 'haproxy' }, suites: 'test/proxies' },
  { name: 'tinyproxy', from: { apt: 'tinyproxy' }, suites: 'test/proxies' },
  { name: 'strace', from: { apt: 'strace' }, suites: 'offline and durability' },
  { name: 'faketime', from: { apt: 'faketime' }, suites: 'test/durability' },
  { name: 'ip', from: { apt: 'iproute2' }, suites: 'offline and durability' },
  { name: 'chromium', from: { apt: 'chromium' }, suites: 'the page' },
  {
    name: 'conformance',
    from: { go: 'github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260831232431-97274622c111' },
    suites: 'test/conformance',
  },
  { name: 'crane', from: { go: 'github.com/google/go-containerregistry/cmd/crane@v0.22.1' }, suites: 'test/clients' },
  { name: 'oras', from: { go: 'oras.land/oras/cmd/oras@v1.3.6' }, suites: 'test/clients' },
  { name: 'cosign', from: { go: 'github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3' }, suites: 'test/clients' },
  { name: 'otlp-receiver', from: { folder: 'test/traces/collector' }, suites: 'test/traces' },
]

/** Where `go install` puts its programs: outside the checkout, so that every checkout shares them. */
export function toolsFolder(): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  return process.env.LAZARET_TOOLS ?? join(cache, 'lazaret-tools', 'bin')
}

/** Out: the path of each program that tests drive, by name; undefined where it is not there. */
export function findTools(): Record<string, string | undefined> {
  const folders = [
    toolsFolder(),
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/sbin',
    '/sbin',
    '/usr/lib/cni',
    ...postgresFolders(),
  ].filter((folder) => folder !== '')
  return Object.fromEntries(programs.map(({ name }) => [name, folders.map((folder) => join(folder, name)).find(isProgram)]))
}

/** Installs what is missing. Out: what is missing still, and why; empty where every suite can run. Each step is said by `say`. */
export async function prepare(say: (line: string) => void): Promise<Missing[]> {
  const before = findTools()
  const lacking = programs.filter(({ name }) => before[name] === undefined)
  if (lacking.length === 0) return []
  const [apt, go] = await Promise.all([installByApt(lacking, say), installByGo(lacking, say)])
  const found = findTools()
  return lacking
    .filter(({ name }) => found[name] === undefined)
    .map(({ name, from, suites }) => ({
      program: name,
      suites,
      why: ('apt' in from ? apt : go) ?? 'its package was installed, and does not bring it',
    }))
}

/** Out: why nothing could be installed, or undefined. */
async function installByApt(lacking: Program[], say: (line: string) => void): Promise<string | undefined> {
  const packages = [...new Set(lacking.flatMap(({ from }) => ('apt' in from ? [from.apt] : [])))]
  if (packages.length === 0) return undefined
  if (!existsSync('/etc/debian_version')) return `needs Debian's ${packages.join(', ')}`
  if (process.getuid?.() !== 0) return `needs root to apt-get install ${packages.join(' ')}`
  say(`apt-get install ${packages.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = ['-qq', '-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=300']
  const updated = await ended('apt-get', ['update', ...options], env)
  if (updated !== undefined) return updated
  return await ended('apt-get', ['install', '-y', '--no-install-recommends', ...options, ...packages], env)
}

async function installByGo(lacking: Program[], say: (line: string) => void): Promise<string | undefined> {
  const modules = lacking.flatMap(({ from }) => ('go' in from ? [from.go] : []))
  const folders = lacking.flatMap(({ name, from }) => ('folder' in from ? [{ name, folder: from.folder }] : []))
  if (modules.length + folders.length === 0) return undefined
  const go = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/go/bin'].map((folder) => join(folder, 'go')).find(isProgram)
  if (go === undefined) return 'needs Go 1.26 or newer'
  mkdirSync(toolsFolder(), { recursive: true })
  const env = { ...process.env, GOBIN: toolsFolder(), GOFLAGS: '-trimpath', CGO_ENABLED: '0' }
  for (const module of modules) {
    say(`go install ${module}`)
    const failed = await ended(go, ['install', '-ldflags=-s -w', module], env)
    if (failed !== undefined) return failed
  }
  for (const { name, folder } of folders) {
    say(`go build ${folder}`)
    const args = ['build', '-C', join(import.meta.dirname, '..', folder), '-ldflags=-s -w', '-o', join(toolsFolder(), name), '.']
    const failed = await ended(go, args, { ...env, GOFLAGS: '-trimpath -mod=readonly' })
    if (failed !== undefined) return failed
  }
  return undefined
}

/** Runs a program whose output matters only when it fails. Out: what it said then, else undefined. */
function ended(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-4000)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (error) => resolve(`${command} can't be started: ${error.message}`))
    child.on('close', (code, signal) =>
      resolve(code === 0 ? undefined : `${command} ${args[0]} failed (${code ?? signal}): ${output.trim()}`),
    )
  })
}

/** Debian keeps PostgreSQL's own programs off the PATH, a folder per version. */
function postgresFolders(): string[] {
  const versions = '/usr/lib/postgresql'
  return existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, 'bin')) : []
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    // Whatever keeps it from being run, it can't be used.
    return false
  }
}

if (import.meta.main) {
  const missing = await prepare((line) => process.stderr.write(`prepare: ${line}\n`))
  for (const { program, suites, why } of missing) process.stderr.write(`missing: ${program} (${suites}): ${why}\n`)
  process.exitCode = missing.length === 0 ? 0 : 1
}
