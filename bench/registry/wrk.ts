// Many small requests, by wrk and ab: written in C, they leave the cores to the servers.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { manifestType, token, type Asked } from './client.ts'
import { timed } from './load.ts'

const run = promisify(execFile)
const [clients, seconds] = [8, 4]

export interface Many {
  perSecond: number
  p99Ms: number
}

/** In: the repository that the token is for; undefined: Basic. Out: the headers of who may. */
async function signedIn(peer: Asked, repository: string | undefined): Promise<Record<string, string>> {
  if (peer.authorization === undefined) return {}
  if (repository === undefined) return { Authorization: peer.authorization }
  return { Authorization: `Bearer ${await token(peer, `repository:${repository}:pull,push`)}` }
}

/** GETs of one path. */
export async function gets(peer: Asked, path: string, repository: string): Promise<Many> {
  const headers = { Accept: manifestType, ...(await signedIn(peer, repository)) }
  return wrk(
    peer,
    path,
    Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
  )
}

/** ab asks with keep-alive, in HTTP/1.0. */
export async function heads(peer: Asked, path: string, repository: string): Promise<Many> {
  const headers = { Accept: manifestType, ...(await signedIn(peer, repository)) }
  const named = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  let stdout = ''
  await timed(async () => {
    ;({ stdout } = await run('ab', [
      '-q',
      '-i',
      '-k',
      '-c',
      `${clients}`,
      '-t',
      `${seconds}`,
      '-n',
      '100000000',
      ...named,
      `${peer.origin}${path}`,
    ]))
  })
  if (/Non-2xx/.test(stdout) || !/Failed requests:\s+0\b/.test(stdout)) throw new Error(`${peer.name}: ${stdout}`)
  return { perSecond: Number(/Requests per second:\s+([\d.]+)/.exec(stdout)?.[1]), p99Ms: Number(/^\s+99%\s+(\d+)/m.exec(stdout)?.[1]) }
}

/** PUTs. In: a path and a body, with `%d` in either for what counts up. */
export async function puts(
  peer: Asked,
  folder: string,
  put: { path: string; body: string; type: string; repository?: string },
): Promise<Many> {
  const headers = { 'Content-Type': put.type, ...(await signedIn(peer, put.repository)) }
  return scripted(
    peer,
    folder,
    `wrk.format('PUT', string.format(${lua(put.path)}, n), ${luaTable(headers)}, string.format(${lua(put.body)}, n))`,
  )
}

/** GETs of 1 MiB each, one after the other through a blob of so many. */
export async function ranges(peer: Asked, folder: string, path: string, mebibytes: number, repository: string): Promise<Many> {
  const headers = await signedIn(peer, repository)
  const range = `string.format('bytes=%d-%d', n % ${mebibytes} * 1048576, n % ${mebibytes} * 1048576 + 1048575)`
  return scripted(peer, folder, `wrk.format('GET', ${lua(path)}, with(${luaTable(headers)}, ${range}))`)
}

function scripted(peer: Asked, folder: string, request: string): Promise<Many> {
  const script = join(folder, 'request.lua')
  const helpers = `local function with(headers, range) headers['Range'] = range; return headers end\n`
  writeFileSync(script, `local n = 0\n${helpers}request = function() n = n + 1; return ${request} end\n`)
  return wrk(peer, '/', ['-s', script])
}

async function wrk(peer: Asked, path: string, options: string[]): Promise<Many> {
  let stdout = ''
  await timed(async () => {
    ;({ stdout } = await run('wrk', ['-t1', `-c${clients}`, `-d${seconds}`, '--latency', ...options, `${peer.origin}${path}`]))
  })
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${peer.name}: ${stdout}`)
  const [, value, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? []
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p99Ms: Number(value) * (unit === 'us' ? 0.001 : unit === 's' ? 1000 : 1),
  }
}

/** JSON's escapes of ASCII are Lua's. */
function lua(text: string): string {
  return JSON.stringify(text)
}

function luaTable(headers: Record<string, string>): string {
  return `{${Object.entries(headers)
    .map(([name, value]) => `[${lua(name)}] = ${lua(value)}`)
    .join(', ')}}`
}
