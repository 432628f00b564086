import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, utimes } from 'node:fs/promises'
import { asNoRoom } from '../../kit/no-room.ts'
import { ask, asProblem, shown } from './ask.ts'
import { pauseAfter } from './back-off.ts'
import { type Looks, wrongLook } from './looks.ts'
import { begunAt, dropBegun, noteBegun, partOf, strongValidator, type Validators, validatorsOf } from './part-file.ts'
import { FetchProblem } from './problem.ts'
import type { FetchTools } from './tools.ts'

export interface Wanted {
  url: URL
  hosts: readonly string[]
  /** Where the file is to be. */
  path: string
  looks: Looks
  mostBytes: number
  /** Of the file that was read before: then it comes only where it is another. */
  known?: Validators
}

export type Downloaded = { state: 'unchanged' } | { state: 'new'; path: string; validators: Validators; bytes: number; date?: Date }

/**
 * In: a file of another server. Out: the whole of it on disk, its time of change being the server's word on it, or that it is
 * the one that was read before. What broke off is gone on with, now or by the next call, where the server vouches that it is
 * still the same file. Throws a FetchProblem; LIMIT_EXCEEDED for too much, TIMED_OUT for too slow.
 */
export async function download(wanted: Wanted, tools: FetchTools): Promise<Downloaded> {
  const { fileMs } = tools.limits
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(tooSlow(wanted.url, fileMs)), fileMs)
  const signal = AbortSignal.any([tools.signal, late.signal])
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(wanted, tools, signal)
      } catch (error) {
        await waitOrGiveUp(asProblem(error), attempt, tools, signal)
      }
    }
  } finally {
    clearTimeout(timer)
  }
}

/** Throws the problem where trying again is no use, or not now. */
export async function waitOrGiveUp(problem: FetchProblem, attempt: number, tools: FetchTools, signal: AbortSignal): Promise<void> {
  const wait = problem.passing && !signal.aborted ? pauseAfter(attempt, problem.afterMs, tools) : undefined
  if (wait === undefined) throw problem
  await tools.pause(wait)
}

async function once(wanted: Wanted, tools: FetchTools, signal: AbortSignal): Promise<Downloaded> {
  const { url, hosts, path } = wanted
  const begun = await begunAt(path, url.href)
  const response = await ask({ url, hosts, headers: headersOf(wanted.known, begun) }, tools, signal)
  if (response.status === 304) return { state: 'unchanged' }
  if (response.status === 416) {
    await response.body?.cancel()
    await dropBegun(path)
    throw new FetchProblem('UNAVAILABLE', `${shown(url)} has no more of what it began with`, { passing: true })
  }
  const from = response.status === 206 ? await goesOn(response, wanted, begun?.bytes) : 0
  await receive(response, wanted, from)
  await checkHash(response, wanted)
  return finish(response, wanted)
}

function headersOf(known: Validators | undefined, begun: { bytes: number; validator: string } | undefined): Record<string, string> {
  if (begun !== undefined) return { range: `bytes=${begun.bytes}-`, 'if-range': begun.validator }
  return {
    ...(known?.etag === undefined ? {} : { 'if-none-match': known.etag }),
    ...(known?.lastModified === undefined ? {} : { 'if-modified-since': known.lastModified }),
  }
}

/** Out: where the rest begins. Throws where it is not the rest of what is there. */
async function goesOn(response: Response, { url, path }: Wanted, bytes: number | undefined): Promise<number> {
  const range = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(response.headers.get('content-range') ?? '')
  if (bytes !== undefined && range !== null && Number(range[1]) === bytes) return bytes
  await response.body?.cancel()
  await dropBegun(path)
  throw new FetchProblem('UNAVAILABLE', `${shown(url)} goes on elsewhere than where it broke off`, { passing: bytes !== undefined })
}

async function receive(response: Response, wanted: Wanted, from: number): Promise<void> {
  const { url, path, mostBytes } = wanted
  const told = Number(response.headers.get('content-length') ?? Number.NaN)
  if (from + told > mostBytes) {
    await response.body?.cancel()
    throw tooLarge(wanted)
  }
  if (from === 0) {
    await dropBegun(path)
    const validator = strongValidator(response.headers)
    await noteBegun(path, validator === undefined ? undefined : { url: url.href, validator })
  }
  try {
    await write(response, wanted, from)
  } catch (error) {
    const full = asNoRoom(error)
    if (full !== undefined) {
      await dropBegun(path) // what is half there gives its room back
      throw new FetchProblem('UNAVAILABLE', `the disk is full: ${shown(url)} finds no room`, { cause: error })
    }
    if (error instanceof FetchProblem && !error.passing && error.code !== 'TIMED_OUT') await dropBegun(path)
    throw error
  }
}

async function write(response: Response, wanted: Wanted, from: number): Promise<void> {
  const file = await open(partOf(wanted.path), from === 0 ? 'w' : 'a', 0o600)
  let size = from
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      if (size === 0) checkLook(response, wanted, Buffer.from(chunk))
      size += chunk.length
      if (size > wanted.mostBytes) throw tooLarge(wanted)
      await file.writeFile(chunk)
    }
  } finally {
    await file.close()
  }
  const total = Number(/\/(\d{1,15})$/.exec(response.headers.get('content-range') ?? '')?.[1] ?? size)
  if (size === 0) throw new FetchProblem('UNREADABLE', `${shown(wanted.url)} is empty`)
  if (size !== total)
    throw new FetchProblem('UNAVAILABLE', `${shown(wanted.url)} broke off after ${size} of ${total} bytes`, { passing: true })
}

function checkLook(response: Response, { looks, url }: Wanted, head: Buffer): void {
  const wrong = wrongLook(looks, head, response.headers.get('content-type'))
  if (wrong !== undefined) throw new FetchProblem('UNREADABLE', `${shown(url)} is not what it should be: ${wrong}`)
}

/** Google's storage names the MD5 of what it serves: no proof of who made it, but of its having come whole. */
async function checkHash(response: Response, { url, path }: Wanted): Promise<void> {
  const told = /(?:^|[\s,])md5=([A-Za-z0-9+/]{22}==)/.exec(response.headers.get('x-goog-hash') ?? '')?.[1]
  if (told === undefined || response.headers.has('content-encoding')) return
  const hash = createHash('md5')
  for await (const chunk of createReadStream(partOf(path))) hash.update(chunk as Buffer)
  if (hash.digest('base64') === told) return
  await dropBegun(path)
  throw new FetchProblem('UNREADABLE', `${shown(url)} came with other bytes than its server says it has`, { passing: true })
}

async function finish(response: Response, { path }: Wanted): Promise<Downloaded> {
  const validators = validatorsOf(response.headers)
  await rename(partOf(path), path)
  await dropBegun(path)
  const date = validators.lastModified === undefined ? undefined : new Date(validators.lastModified)
  if (date !== undefined) await utimes(path, new Date(), date)
  const file = await open(path, 'r')
  try {
    const { size: bytes } = await file.stat()
    return { state: 'new', path, validators, bytes, ...(date === undefined ? {} : { date }) }
  } finally {
    await file.close()
  }
}

function tooLarge({ url, mostBytes }: Wanted): FetchProblem {
  return new FetchProblem('LIMIT_EXCEEDED', `${shown(url)} is larger than ${mostBytes} bytes`)
}

function tooSlow(url: URL, ms: number): FetchProblem {
  return new FetchProblem('TIMED_OUT', `${shown(url)} took longer than ${ms / 1000} s`)
}
