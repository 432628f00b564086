// Lazaret as its users run it: `bin/lazaret serve`, and `bin/lazaret` against it.

import { join } from 'node:path'
import { type Daemon, freePort, startDaemon } from './daemon.ts'
import { protocolOf, type Answer, type Credentials } from './protocol.ts'
import type { Registry } from './registry.ts'
import { must, type Outcome, run, type RunOptions } from './run.ts'
import { scratch } from './scratch.ts'

export interface Lazaret extends Registry {
  daemon: Daemon
  /** Its working folder; records and blobs are in `data` below it. */
  folder: string
  admin: Credentials
  /** `bin/lazaret ARGS…` as the administrator of this server. */
  lazaret: (args: readonly string[], options?: RunOptions) => Promise<Outcome>
  addUser: (name: string, ...grants: string[]) => Promise<Credentials>
  addRobot: (name: string, ...grants: string[]) => Promise<Credentials>
  /** GET below /api/v1 as the administrator, or as who is given. */
  api: (path: string, who?: Credentials) => Promise<Answer>
}

export interface LazaretOptions {
  policy: 'observe' | 'balanced'
  env?: Record<string, string>
  /** A server that has ended, whose folder and address this one takes up. */
  after?: Lazaret
}

export const checkout = join(import.meta.dirname, '..', '..')
export const launcher = join(checkout, 'bin', 'lazaret')

/** In: the suite's stack and the policy. Out: a server that is ready, with a developer who may pull, push and delete below `shop/`; gone at the end. */
export async function startLazaret(stack: AsyncDisposableStack, options: LazaretOptions): Promise<Lazaret> {
  const server = await serve(stack, options)
  if (options.after !== undefined) return { ...server, developer: options.after.developer }
  return { ...server, developer: await server.addUser('developer', 'pull=shop/**', 'push=shop/**', 'delete=shop/**') }
}

async function serve(stack: AsyncDisposableStack, options: LazaretOptions): Promise<Omit<Lazaret, 'developer'>> {
  const folder = options.after?.folder ?? (await scratch(stack, 'lazaret'))
  const host = options.after?.host ?? `127.0.0.1:${await freePort()}`
  const admin = { username: 'admin', password: 'the-admin-of-this-test' }
  const env = settingsOf(folder, host, admin, options)
  const daemon = await startDaemon(stack, {
    command: launcher,
    args: ['serve'],
    cwd: folder,
    env,
    ready: () => isReady(host),
    stopSignal: 'SIGTERM',
  })
  const commandEnv = { LAZARET_SERVER: `http://${host}`, LAZARET_USERNAME: admin.username, LAZARET_PASSWORD: admin.password }
  const lazaret = (args: readonly string[], given: RunOptions = {}) =>
    run(launcher, args, { cwd: folder, ...given, env: { ...commandEnv, ...given.env } })
  return {
    host,
    daemon,
    folder,
    admin,
    lazaret,
    protocol: (credentials) => protocolOf(host, credentials),
    addUser: (name, ...grants) => addUser(folder, commandEnv, name, grants),
    addRobot: (name, ...grants) => addRobot(folder, commandEnv, name, grants),
    api: (path, who = admin) => protocolOf(host, who).askBasic(`/api/v1${path}`),
  }
}

function settingsOf(folder: string, host: string, admin: Credentials, options: LazaretOptions): Record<string, string> {
  return {
    LAZARET_LISTEN: host,
    LAZARET_DATA: join(folder, 'data'),
    LAZARET_ADMIN_PASSWORD: admin.password,
    LAZARET_POLICY: options.policy,
    LAZARET_OFFLINE: 'true',
    ...options.env,
  }
}

async function isReady(host: string): Promise<boolean> {
  return fetch(`http://${host}/health/ready`).then(
    (answer) => answer.status === 200,
    () => false,
  )
}

async function addUser(cwd: string, env: Record<string, string>, name: string, grants: readonly string[]): Promise<Credentials> {
  const password = `the-password-of-${name}`
  await must(launcher, ['users', 'add', name, '--password-stdin', ...grants.flatMap((grant) => ['--grant', grant])], {
    cwd,
    env,
    input: `${password}\n`,
  })
  return { username: name, password }
}

async function addRobot(cwd: string, env: Record<string, string>, name: string, grants: readonly string[]): Promise<Credentials> {
  const { stdout } = await must(launcher, ['robots', 'add', name, ...grants.flatMap((grant) => ['--grant', grant]), '--expires', '1d'], {
    cwd,
    env,
  })
  return { username: name, password: stdout.trim() }
}
