// A throw-away PostgreSQL that syncs as a real one does.

import { chmod, chown, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Daemon, freePort, startDaemon } from './daemon.ts'
import { must, run } from './run.ts'
import { scratch } from './scratch.ts'
import { findTool } from './tools.ts'

export interface Postgres {
  daemon: Daemon
  port: number
  /** Makes an empty database. Out: its `postgres://…` URL. */
  createDatabase: (name: string) => Promise<string>
}

/** In: the suite's stack. Out: a server on a free loopback port with fsync on, run by the user `postgres`; stopped and removed at the end. */
export async function startPostgres(stack: AsyncDisposableStack): Promise<Postgres> {
  const bin = await binFolder()
  const folder = await scratch(stack, 'postgres')
  const port = await freePort()
  const data = join(folder, 'data')
  await giveToPostgres(folder)
  await must('setpriv', [...asPostgres, join(bin, 'initdb'), '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'])
  const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder, '-c', 'fsync=on', '-c', 'max_connections=60']
  const isReady = async () => (await run(join(bin, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(port)])).code === 0
  const daemon = await startDaemon(stack, { command: join(bin, 'postgres'), args, user: 'postgres', ready: isReady, stopSignal: 'SIGINT' })
  return { daemon, port, createDatabase: (name) => createDatabase(bin, port, name) }
}

/** Debian keeps `initdb` and `postgres` out of the PATH. Out: why the suite is left out, or false. */
export async function postgresLacking(): Promise<string | false> {
  if ((await findBinFolder()) !== undefined && process.getuid?.() === 0) return false
  if (process.env['CI'] === 'true') throw new Error('PostgreSQL is not installed, or this is not root')
  return 'left out, missing here: PostgreSQL, or root to start it as the user postgres'
}

const asPostgres = ['--reuid=postgres', '--regid=postgres', '--init-groups', '--']

async function createDatabase(bin: string, port: number, name: string): Promise<string> {
  await must(join(bin, 'createdb'), ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', name])
  return `postgres://postgres@127.0.0.1:${port}/${name}`
}

async function giveToPostgres(folder: string): Promise<void> {
  const id = async (flag: string) => Number((await must('id', [flag, 'postgres'])).stdout.trim())
  await chown(folder, await id('-u'), await id('-g'))
  await chmod(folder, 0o700)
}

async function binFolder(): Promise<string> {
  const folder = await findBinFolder()
  if (folder === undefined) throw new Error('PostgreSQL is not installed')
  return folder
}

async function findBinFolder(): Promise<string | undefined> {
  const versions = await readdir('/usr/lib/postgresql').catch((): string[] => [])
  const newest = versions.toSorted((a, b) => Number(b) - Number(a))[0]
  if (newest !== undefined) return join('/usr/lib/postgresql', newest, 'bin')
  const onPath = findTool('initdb')
  return onPath === undefined ? undefined : join(onPath, '..')
}
