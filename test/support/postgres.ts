// A throw-away PostgreSQL that syncs as a real one does.

import { chmod, chown, copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Daemon, freePort, startDaemon } from './daemon.ts'
import { must, run } from './run.ts'
import { scratch } from './scratch.ts'
import { tool } from './tools.ts'

export interface Postgres {
  daemon: Daemon
  port: number
  /** Makes an empty database. Out: its `postgres://…` URL. */
  createDatabase: (name: string) => Promise<string>
}

/**
 * In: the suite's stack, and the files of a certificate where it speaks TLS. Out: a server on a free loopback port with fsync on,
 * run by the user `postgres`; stopped and removed at the end.
 */
export async function startPostgres(stack: AsyncDisposableStack, tls?: { cert: string; key: string }): Promise<Postgres> {
  const folder = await scratch(stack, 'postgres')
  const port = await freePort()
  const data = join(folder, 'data')
  await giveToPostgres(folder)
  await must('setpriv', [...asPostgres, tool('initdb'), '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'])
  const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder, '-c', 'fsync=on', '-c', 'max_connections=60']
  if (tls !== undefined) args.push(...(await withTls(folder, tls)))
  const isReady = async () => (await run('pg_isready', ['-q', '-h', '127.0.0.1', '-p', String(port)])).code === 0
  const daemon = await startDaemon(stack, { command: 'postgres', args, user: 'postgres', ready: isReady, stopSignal: 'SIGINT' })
  return { daemon, port, createDatabase: (name) => createDatabase(port, name) }
}

const asPostgres = ['--reuid=postgres', '--regid=postgres', '--init-groups', '--']

async function createDatabase(port: number, name: string): Promise<string> {
  await must('createdb', ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', name])
  return `postgres://postgres@127.0.0.1:${port}/${name}`
}

/** The key must be its own, and nobody else's to read. */
async function withTls(folder: string, { cert, key }: { cert: string; key: string }): Promise<string[]> {
  const own = { cert: join(folder, 'server.crt'), key: join(folder, 'server.key') }
  for (const name of ['cert', 'key'] as const) {
    await copyFile({ cert, key }[name], own[name])
    await giveToPostgres(own[name], 0o600)
  }
  return ['-c', 'ssl=on', '-c', `ssl_cert_file=${own.cert}`, '-c', `ssl_key_file=${own.key}`]
}

async function giveToPostgres(path: string, mode = 0o700): Promise<void> {
  const id = async (flag: string) => Number((await must('id', [flag, 'postgres'])).stdout.trim())
  await chown(path, await id('-u'), await id('-g'))
  await chmod(path, mode)
}
