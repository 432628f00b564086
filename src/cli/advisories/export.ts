import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { exportFolder, keyOfFolder } from '../../flow/advisories/folder-exports.ts'
import { LazaretError } from '../../kit/errors.ts'
import { createOutgoing } from '../../kit/outgoing/outgoing.ts'
import { loadSettings } from '../../kit/settings/settings.ts'
import { authorizationOf, namedServer, openClient } from '../client.ts'
import { exit, type Io } from '../command.ts'
import { formatOption, isJson, jsonText, onlyOne } from '../options.ts'
import { isReference, registryWay, temporaryFile } from './target.ts'

/** In: the words after `export`; which data folder is meant, undefined for a server. */
export async function exportTo(args: string[], io: Io, dataFolder: string | undefined) {
  const { values, positionals } = parseArgs({ args, options: formatOption, strict: true, allowPositionals: true })
  const target = onlyOne(positionals, 'FILE or REFERENCE')
  const asJson = isJson(values.format)
  const made = isReference(target) ? await pushed(target, io, dataFolder) : await written(target, io, dataFolder)
  if (asJson) io.out(jsonText(made))
  else io.out(`revision ${made.revision} is in ${made.target}${'digest' in made ? ` (${made.digest})` : ''}\n`)
  return exit.fine
}

/** Prints the public key. */
export async function showKey(args: string[], io: Io, dataFolder: string | undefined) {
  const { values, positionals } = parseArgs({ args, options: formatOption, strict: true, allowPositionals: true })
  if (positionals.length > 0) throw new LazaretError('USAGE', 'key takes no names')
  const asJson = isJson(values.format)
  const key = dataFolder === undefined ? await keyOfServer(io) : await keyOfFolder(dataFolder)
  io.out(asJson ? jsonText(key) : `${key.key}\n`)
  return exit.fine
}

async function keyOfServer(io: Io): Promise<{ key: string; id: string }> {
  await using client = await openClient(io, 'advisories key')
  return await client.get<{ key: string; id: string }>('/advisories/key')
}

async function written(target: string, io: Io, dataFolder: string | undefined) {
  const { revision } = dataFolder === undefined ? await download(target, io) : await exportFolder(dataFolder, target)
  return { revision, target }
}

function pushed(target: string, io: Io, dataFolder: string | undefined) {
  const way = registryWay(io)
  return temporaryFile('export.zst', async (path) => {
    const { revision } = await written(path, io, dataFolder)
    const { pushExport } = await import('../../flow/advisories/artifact.ts')
    const { reference, digest } = await pushExport(target, path, revision, way)
    return { revision, target: reference, digest }
  })
}

/** Out of the server, to a file that is whole or not there. */
async function download(target: string, io: Io): Promise<{ revision: string }> {
  const settings = loadSettings({ env: io.env, cwd: io.cwd, listens: false })
  const named = await namedServer(settings, io)
  if (named === undefined) throw new LazaretError('USAGE', 'no server is named: set LAZARET_SERVER, use lazaret login, or set LAZARET_DATA')
  const authorization = authorizationOf(settings, named.login)
  const headers = authorization === undefined ? {} : { authorization }
  const url = new URL('/api/v1/advisories/export', named.server)
  const answer = await createOutgoing(settings, io.env).fetch(url, { headers, idleMs: 120_000 })
  if (!answer.ok || answer.body === null) throw await refusal(answer)
  const temporary = `${target}.${process.pid}.tmp`
  try {
    await pipeline(answer.body, createWriteStream(temporary, { flags: 'wx', mode: 0o600 }))
    await rename(temporary, target)
  } finally {
    await rm(temporary, { force: true })
  }
  return { revision: /advisories-(\d{6,12}-\d{8})\.zst/.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? 'unknown' }
}

async function refusal(answer: Response): Promise<LazaretError> {
  const { problemOf } = await import('../client.ts')
  const problem = problemOf((await answer.text()).slice(0, 65_536))
  return new LazaretError(problem?.code ?? 'UNAVAILABLE', problem?.detail ?? `the server answered ${answer.status}, not as Lazaret does`)
}
